#include "tune/line_search.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cleave::tune {
namespace {

TEST(LineSearch, FindsTheVertexOfAParabola) {
  int looks = 0;
  const auto loss = [&looks](double x, double) {
    ++looks;
    return 3 + (x - 0.23) * (x - 0.23);
  };
  const LinePoint best = search_line({{0, loss(0, 0)}, 0.1, -1, 1}, loss);
  EXPECT_NEAR(best.at, 0.23, 1e-6);
  EXPECT_LE(looks, 8);
}

TEST(LineSearch, GoesAsFarAsTheBoundAndNoFarther) {
  double farthest = 0;
  const auto loss = [&farthest](double x, double) {
    farthest = std::min(farthest, x);
    return 10 + x;
  };
  const LinePoint best = search_line({{0, 10}, 0.1, -0.5, 0.5}, loss);
  EXPECT_EQ(best.at, -0.5);
  EXPECT_EQ(farthest, -0.5);
}

TEST(LineSearch, IsNeverWorseThanItsStartEvenWithoutReasonInTheFunction) {
  for (int seed = 1; seed < 50; ++seed) {
    const auto loss = [seed](double x, double) { return std::sin(seed * 37.0 * x + seed) + 0.1 * std::abs(x); };
    const double start = 0.3 * std::sin(seed);
    const LinePoint best = search_line({{start, loss(start, 0)}, 0.1, -1, 1}, loss);
    EXPECT_LE(best.loss, loss(start, 0));
    EXPECT_EQ(best.loss, loss(best.at, 0));
  }
}

TEST(LineSearch, TellsWhatALookMustBeat) {
  double limit_seen = 0;
  const auto loss = [&limit_seen](double x, double limit) {
    limit_seen = limit;
    return x * x;
  };
  search_line({{0.5, 0.25}, 0.1, -1, 1}, loss);
  EXPECT_LT(limit_seen, 0.25);
}

}  // namespace
}  // namespace cleave::tune
