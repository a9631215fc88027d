#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "every_isa.h"
#include "random_codes.h"

namespace cleave::exec::simd {
namespace {

template <typename Code>
CodeRange whole_range(std::int32_t zero_point) {
  return {zero_point, std::numeric_limits<Code>::min(), std::numeric_limits<Code>::max()};
}

class Codes : public OnEveryIsa {
 protected:
  template <typename Code>
  void check_quantize(float scale, const CodeRange& range) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> value(-200.0F, 200.0F);
    for (const std::int64_t n : kLengths) {
      std::vector<float> x(n);
      for (auto& v : x) v = value(random) * scale;
      if (n > 2) x[n - 1] = 2.5F * scale;  // a tie
      std::vector<Code> codes(n + 1, Code{77});
      code<Code>().quantize(x.data(), n, scale, range, codes.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const auto wanted = static_cast<int>(std::nearbyint(x[i] / scale)) + range.zero_point;
        ASSERT_EQ(codes[i], std::clamp(wanted, range.low, range.high)) << n << " " << i;
      }
      ASSERT_EQ(codes[n], Code{77}) << "wrote past the end of " << n;
    }
  }

  template <typename Code>
  void check_dequantize(float scale, std::int32_t zero_point) {
    std::vector<Code> codes(256);
    for (int i = 0; i < 256; ++i) codes[i] = static_cast<Code>(i);
    for (std::int64_t n = 240; n <= 256; ++n) {
      std::vector<float> x(n + 1, -1.5F);
      code<Code>().dequantize(codes.data(), n, scale, zero_point, x.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const auto steps = static_cast<float>(codes[i] - zero_point);
        ASSERT_EQ(x[i], steps * scale);
      }
      ASSERT_EQ(x[n], -1.5F);
    }
  }
};

TEST_P(Codes, QuantizeRoundsHalfToEvenAndClips) {
  check_quantize<std::uint8_t>(1.0F, whole_range<std::uint8_t>(3));
  check_quantize<std::uint8_t>(0.0371F, {128, 10, 240});
  check_quantize<std::int8_t>(1.0F, whole_range<std::int8_t>(0));
  check_quantize<std::int8_t>(0.5F, {-7, -64, 63});
}

TEST_P(Codes, QuantizeTakesValuesThatNoCodeReaches) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{infinity, -infinity, 1e30F, -1e30F, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<std::uint8_t> as_u8{254, 1, 254, 1, 1};
  const std::vector<std::int8_t> as_s8{127, -128, 127, -128, -128};
  for (const std::int64_t n : kLengths) {
    std::vector<float> x(n);
    for (std::int64_t i = 0; i < n; ++i) x[i] = values[i % 5];
    std::vector<std::uint8_t> u8(n);
    code<std::uint8_t>().quantize(x.data(), n, 1e-3F, {128, 1, 254}, u8.data());
    std::vector<std::int8_t> s8(n);
    code<std::int8_t>().quantize(x.data(), n, 1e-3F, {-5, -128, 127}, s8.data());
    for (std::int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(u8[i], as_u8[i % 5]) << n << " " << i;
      ASSERT_EQ(s8[i], as_s8[i % 5]) << n << " " << i;
    }
  }
}

TEST_P(Codes, DequantizeIsTheLineThroughTheZeroPoint) {
  check_dequantize<std::uint8_t>(0.02F, 117);
  check_dequantize<std::int8_t>(3.7F, -128);
}

CLEAVE_ON_EVERY_ISA(Codes);

}  // namespace
}  // namespace cleave::exec::simd
