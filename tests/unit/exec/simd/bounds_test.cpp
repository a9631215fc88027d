#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "every_isa.h"
#include "random_codes.h"

namespace cleave::exec::simd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();

/// What both kernels find, and the same by a loop over the values of each channel.
struct Found {
  explicit Found(std::size_t channels) : low(channels), high(channels), zero_or_nan(channels), zeros(channels) {}
  RowBounds bounds() { return {low.data(), high.data(), zero_or_nan.data(), zeros.data()}; }
  std::vector<float> low, high, zero_or_nan;
  std::vector<std::int32_t> zeros;
  std::vector<float> tail;
};

class BoundsOnEveryIsa : public OnEveryIsa {
 protected:
  using Kernel = std::function<void(const RowBounds&, Tail&)>;

  static Found run(std::size_t channels, std::size_t values, float threshold, const Kernel& kernel) {
    Found found(channels);
    std::vector<float> room(values + 16);
    Tail tail{threshold, room.data(), 0};
    kernel(found.bounds(), tail);
    found.tail.assign(room.begin(), room.begin() + tail.count);
    return found;
  }

  template <typename At>
  static Found expected(std::size_t channels, std::size_t count, float threshold, const At& at) {
    Found found(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      found.low[c] = kInfinity;
      found.high[c] = -kInfinity;
      for (std::size_t i = 0; i < count; ++i) {
        const float x = at(c, i);
        if (!std::isfinite(x)) found.zero_or_nan[c] = kNotANumber;
        if (x == 0) ++found.zeros[c];
        if (x < found.low[c]) found.low[c] = x;
        if (x > found.high[c]) found.high[c] = x;
        if (std::abs(x) > threshold) found.tail.push_back(x);
      }
    }
    return found;
  }

  static void expect_same(Found got, Found wanted) {
    for (Found* found : {&got, &wanted}) {
      std::sort(found->tail.begin(), found->tail.end());
      for (float& x : found->zero_or_nan) x = std::isnan(x) ? 1.0F : x;
    }
    ASSERT_EQ(got.low, wanted.low);
    ASSERT_EQ(got.high, wanted.high);
    ASSERT_EQ(got.zero_or_nan, wanted.zero_or_nan);
    ASSERT_EQ(got.zeros, wanted.zeros);
    ASSERT_EQ(got.tail, wanted.tail);
  }

  static std::vector<float> values(std::size_t count, bool special, std::uint32_t seed) {
    auto x = random_floats(static_cast<std::int64_t>(count), -3.0F, 2.0F, seed);
    for (std::size_t i = 0; i < count; i += 5) x[i] = i % 2 == 0 ? 0.0F : -0.0F;
    if (!special) return x;
    for (std::size_t i = 3; i < count; i += 37) x[i] = i % 3 == 0 ? kNotANumber : (i % 3 == 1 ? kInfinity : -kInfinity);
    return x;
  }
};

TEST_P(BoundsOnEveryIsa, EqualALoopOverChannelsSideBySide) {
  for (const std::size_t channels : {1U, 3U, 16U, 24U, 65U, 96U, 131U}) {
    for (const std::size_t count : {1U, 2U, 50U}) {
      for (const bool special : {false, true}) {
        const std::size_t stride = channels + 3;
        const auto x = values(count * stride, special, 5);
        const auto at = [&](std::size_t c, std::size_t i) { return x[i * stride + c]; };
        const Kernel kernel = [&](const RowBounds& bounds, Tail& tail) {
          table().bounds.of_rows(x.data(), static_cast<std::int64_t>(count), static_cast<std::int64_t>(stride),
                                 static_cast<std::int64_t>(channels), bounds, tail);
        };
        for (const float threshold : {1.9F, kInfinity}) {
          expect_same(run(channels, x.size(), threshold, kernel), expected(channels, count, threshold, at));
        }
      }
    }
  }
}

TEST_P(BoundsOnEveryIsa, EqualALoopOverChannelsOneAfterTheOther) {
  for (const std::size_t channels : {1U, 4U}) {
    for (const std::size_t count : {1U, 15U, 49U, 64U, 1000U}) {
      for (const bool special : {false, true}) {
        const auto x = values(count * channels, special, 6);
        const auto at = [&](std::size_t c, std::size_t i) { return x[c * count + i]; };
        const Kernel kernel = [&](const RowBounds& bounds, Tail& tail) {
          table().bounds.of_runs(x.data(), static_cast<std::int64_t>(count), static_cast<std::int64_t>(channels),
                                 bounds, tail);
        };
        for (const float threshold : {1.9F, kInfinity}) {
          expect_same(run(channels, x.size(), threshold, kernel), expected(channels, count, threshold, at));
        }
      }
    }
  }
}

CLEAVE_ON_EVERY_ISA(BoundsOnEveryIsa);

}  // namespace
}  // namespace cleave::exec::simd
