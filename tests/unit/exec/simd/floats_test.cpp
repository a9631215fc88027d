#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

#include "every_isa.h"
#include "exec/kernels/half.h"
#include "random_codes.h"

namespace cleave::exec::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();

class Floats : public OnEveryIsa {
 protected:
  const FloatKernels& f32() const { return table().f32; }
};

TEST_P(Floats, SiluMatchesDoublePrecisionAndKeepsItsLimits) {
  auto x = random_floats(100'003, -120.0F, 120.0F, 4);
  x.insert(x.end(), {0.0F, -1e30F, 1e30F, kNotANumber});
  std::vector<float> y(x.size());
  f32().silu(x.data(), static_cast<std::int64_t>(x.size()), y.data());
  for (std::size_t i = 0; i + 4 < x.size(); ++i) {
    const double exact = x[i] / (1 + std::exp(-double{x[i]}));
    ASSERT_NEAR(y[i], exact, 1e-6 * std::max(1.0, std::abs(exact))) << x[i];
  }
  EXPECT_EQ(y[x.size() - 4], 0.0F);
  EXPECT_LE(std::abs(y[x.size() - 3]), 1e-5);
  EXPECT_EQ(y[x.size() - 2], 1e30F);
  EXPECT_TRUE(std::isnan(y.back()));
}

TEST_P(Floats, RoundingToAGridGivesTheCodesValues) {
  auto x = random_floats(1003, -3.0F, 3.0F, 7);
  x.insert(x.end(), {1e30F, -1e30F, kNotANumber, 0.0F});
  std::vector<float> y(x.size());
  std::vector<std::uint8_t> codes(x.size());
  const CodeRange range{5, 0, 15};
  f32().round_to_grid(x.data(), static_cast<std::int64_t>(x.size()), 0.21F, range, y.data());
  table().u8.quantize(x.data(), static_cast<std::int64_t>(x.size()), 0.21F, range, codes.data());
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], static_cast<float>(codes[i] - 5) * 0.21F) << x[i];
}

/// Every exponent with the last bits that decide, and beside them.
std::vector<float> around_halves() {
  std::vector<float> values;
  for (std::uint32_t top = 0; top < 0x20000U; ++top) {
    for (const std::uint32_t rest : {0U, 1U, 0x0FFFU, 0x1000U, 0x1001U, 0x1FFFU}) {
      values.push_back(std::bit_cast<float>((top << 15) + (top % 4 << 13) + rest));
    }
  }
  return values;
}

TEST_P(Floats, RoundedToHalfIsTheNearestFloat16) {
  const std::vector<float> x = around_halves();
  std::vector<float> y(x.size());
  f32().round_to_half(x.data(), static_cast<std::int64_t>(x.size()), y.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float expected = from_float16(to_float16(x[i]));
    if (std::isnan(x[i])) {
      ASSERT_TRUE(std::isnan(y[i])) << std::bit_cast<std::uint32_t>(x[i]);
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(y[i]), std::bit_cast<std::uint32_t>(expected)) << x[i];
    }
  }
}

TEST_P(Floats, StepsAreRoundedHalfToEvenAndClamped) {
  for (const std::int64_t n : kLengths) {
    auto x = random_floats(n, -9.0F, 9.0F, 3);
    for (std::size_t i = 0; i < x.size(); i += 3) x[i] = 0.25F * std::nearbyint(x[i]) + 0.125F;  // ties
    if (n > 4) std::tie(x[1], x[4]) = std::pair(kInfinity, kNotANumber);
    std::vector<float> y(n + 1, 99.0F);
    f32().round_to_steps(x.data(), n, 0.25F, -20.0F, 19.0F, y.data());
    for (std::int64_t i = 0; i < n; ++i) {
      if (std::isnan(x[i])) {
        ASSERT_TRUE(std::isnan(y[i]));
      } else {
        ASSERT_EQ(y[i], std::clamp(std::nearbyint(x[i] / 0.25F), -20.0F, 19.0F) * 0.25F) << x[i];
      }
    }
    ASSERT_EQ(y[n], 99.0F);
  }
}

TEST_P(Floats, SoftmaxMatchesDoublePrecision) {
  for (const std::int64_t n : kLengths) {
    auto x = random_floats(n, -80.0F, 5.0F, 2);
    if (n > 3) x[2] = -kInfinity;  // a masked entry
    std::vector<float> y(n + 1, 99.0F);
    f32().softmax(x.data(), n, y.data());
    const float top = *std::max_element(x.begin(), x.end());
    double total = 0;
    for (const float v : x) total += std::exp(double{v - top});
    for (std::int64_t i = 0; i < n; ++i) {
      ASSERT_NEAR(y[i], std::exp(double{x[i] - top}) / total, 1e-6 * y[i]) << n << " " << i;
    }
    ASSERT_EQ(y[n], 99.0F);
  }
}

TEST_P(Floats, RunsAndRowsAreComputedPerElement) {
  for (const std::int64_t channels : kLengths) {
    const std::int64_t n = 3 * channels;
    const auto x = random_floats(n, -2.0F, 2.0F, 4);
    const auto scales = random_floats(channels, 0.5F, 2.0F, 5);
    const auto shifts = random_floats(channels, -1.0F, 1.0F, 6);
    std::vector<float> rows(n + 1, 99.0F);
    std::vector<float> run(n + 1, 99.0F);
    f32().scale_shift_rows(x.data(), 3, channels, scales.data(), shifts.data(), 0.0F, kInfinity, rows.data());
    f32().scale_shift(x.data(), n, 1.5F, 0.25F, -1.0F, 1.0F, run.data());
    for (std::int64_t i = 0; i < n; ++i) {
      ASSERT_NEAR(rows[i], std::max(0.0F, x[i] * scales[i % channels] + shifts[i % channels]), 1e-6F);
      ASSERT_NEAR(run[i], std::clamp(x[i] * 1.5F + 0.25F, -1.0F, 1.0F), 1e-6F);
    }
    f32().prelu_rows(x.data(), 3, channels, scales.data(), rows.data());
    f32().prelu(x.data(), n, 0.1F, run.data());
    for (std::int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(rows[i], x[i] < 0 ? x[i] * scales[i % channels] : x[i]);
      ASSERT_EQ(run[i], x[i] < 0 ? x[i] * 0.1F : x[i]);
    }
    ASSERT_EQ(rows[n], 99.0F);
    ASSERT_EQ(run[n], 99.0F);
  }
}

TEST_P(Floats, NotANumberStays) {
  const float x = kNotANumber;
  float y = 0;
  f32().scale_shift(&x, 1, 1.0F, 0.0F, 0.0F, kInfinity, &y);
  EXPECT_TRUE(std::isnan(y));
  f32().prelu(&x, 1, 0.1F, &(y = 0));
  EXPECT_TRUE(std::isnan(y));
}

TEST_P(Floats, InterpolationWeighsFourCorners) {
  const float weights[4] = {0.1F, 0.2F, 0.3F, 0.4F};
  for (const std::int64_t n : kLengths) {
    const auto x = random_floats(4 * n, -2.0F, 2.0F, 7);
    const float* corners[4] = {&x[0], &x[n], &x[2 * n], &x[3 * n]};
    std::vector<float> y(n + 1, 99.0F);
    f32().interpolate(corners, weights, n, y.data());
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (int k = 0; k < 4; ++k) sum += static_cast<double>(weights[k]) * corners[k][i];
      ASSERT_NEAR(y[i], sum, 1e-6);
    }
    ASSERT_EQ(y[n], 99.0F);
  }
}

CLEAVE_ON_EVERY_ISA(Floats);

}  // namespace
}  // namespace cleave::exec::simd
