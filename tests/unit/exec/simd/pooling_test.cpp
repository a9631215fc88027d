#include <algorithm>

#include "every_isa.h"
#include "random_codes.h"

namespace cleave::exec::simd {
namespace {

class CodePooling : public OnEveryIsa {
 protected:
  template <typename Code>
  void check_rows() {
    constexpr std::int64_t kRows = 7;
    for (const std::int64_t channels : kLengths) {
      const std::int64_t stride = channels + 3;
      const auto x = random_codes<Code>(kRows * stride, 1);
      auto sums = random_sums(channels + 1, 1000, 3);
      const auto sums_before = sums;
      code<Code>().add_up_rows(x.data(), stride, kRows, channels, sums.data());
      for (std::int64_t c = 0; c < channels; ++c) {
        std::int32_t sum = sums_before[c];
        for (std::int64_t r = 0; r < kRows; ++r) sum += x[r * stride + c];
        ASSERT_EQ(sums[c], sum) << channels << " " << c;
      }
      ASSERT_EQ(sums[channels], sums_before[channels]);
    }
  }

  template <typename Code>
  void check_requantize(const CodeRange& range) {
    for (const std::int64_t n : kLengths) {
      const auto sums = random_sums(3 * n, 100'000'000, 4);
      const float scale = 2e-6F;
      std::vector<Code> out(3 * n + 1, Code{99});
      code<Code>().requantize(sums.data(), 3 * n, scale, -77, range, out.data());
      for (std::int64_t i = 0; i < 3 * n; ++i) {
        ASSERT_EQ(out[i], rounded_code(static_cast<float>(sums[i] - 77) * scale, range));
      }
      ASSERT_EQ(out[3 * n], Code{99});
    }
  }

  template <typename Code>
  void check_interpolate(const Interpolation& p) {
    for (const std::int64_t n : kLengths) {
      const auto x = random_codes<Code>(4 * n, 7);
      const Code* corners[4] = {&x[0], &x[n], &x[2 * n], &x[3 * n]};
      std::vector<Code> out(n + 1, Code{99});
      code<Code>().interpolate(corners, n, p, out.data());
      for (std::int64_t i = 0; i < n; ++i) {
        float sum = p.weights[0] * static_cast<float>(corners[0][i] - p.zero_point);
        for (int k = 1; k < 4; ++k) sum += p.weights[k] * static_cast<float>(corners[k][i] - p.zero_point);
        ASSERT_EQ(out[i], rounded_code(sum * p.factor, p.out)) << n << " " << i;
      }
      ASSERT_EQ(out[n], Code{99});
    }
  }
};

TEST_P(CodePooling, RowsOfAWindowAreAddedUpPerChannel) {
  check_rows<std::uint8_t>();
  check_rows<std::int8_t>();
}

TEST_P(CodePooling, SumsAreRequantizedHalfToEven) {
  check_requantize<std::uint8_t>({128, 0, 255});
  check_requantize<std::int8_t>({-3, -100, 127});
}

TEST_P(CodePooling, InterpolationWeighsFourCorners) {
  check_interpolate<std::uint8_t>({{0.375F, 0.125F, 0.375F, 0.125F}, 17, 1.0F, {17, 0, 255}});
  check_interpolate<std::int8_t>({{0.3F, 0.2F, 0.4F, 0.1F}, -9, 1.3F, {4, -128, 127}});
}

CLEAVE_ON_EVERY_ISA(CodePooling);

}  // namespace
}  // namespace cleave::exec::simd
