#include "cost/memory.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace cleave::cost {
namespace {

TEST(LivePeak, OfAChainIsItsWidestPairOfNeighbours) {
  // input 10 -> a 40 -> b 20 -> c 5: steps hold 50, 60, 25.
  const std::vector<LiveTensor> tensors{{10, 0, 0}, {40, 0, 1}, {20, 1, 2}, {5, 2, 2}};
  const LivePeak peak = live_bytes_peak(tensors, 3);
  EXPECT_EQ(peak.bytes, 60);
  EXPECT_EQ(peak.step, 1);
}

TEST(LivePeak, KeepsASkipConnectionAlive) {
  // x 10 is added back at the end: steps hold 10+30, 10+30+30, 10+30+10.
  const std::vector<LiveTensor> tensors{{10, 0, 2}, {30, 0, 1}, {30, 1, 2}, {10, 2, 2}};
  EXPECT_EQ(live_bytes_peak(tensors, 3).bytes, 70);
}

TEST(LivePeak, OfNoStepsIsNothing) {
  EXPECT_EQ(live_bytes_peak({}, 0).bytes, 0);
  EXPECT_EQ(live_bytes_peak({}, 0).step, -1);
  EXPECT_EQ(live_bytes_peak({}, 2).bytes, 0);
}

TEST(LivePeak, EqualsTheLargestSumOverSteps) {
  const bool held = rc::check("sweep equals brute force", [] {
    const int steps = *rc::gen::inRange(1, 12);
    std::vector<LiveTensor> tensors(*rc::gen::inRange<std::size_t>(0, 15));
    for (LiveTensor& tensor : tensors) {
      tensor.bytes = *rc::gen::inRange<std::int64_t>(0, 1000);
      tensor.first_step = *rc::gen::inRange(0, steps);
      tensor.last_step = *rc::gen::inRange(tensor.first_step, steps);
    }
    std::int64_t largest = 0;
    for (int step = 0; step < steps; ++step) {
      std::int64_t live = 0;
      for (const LiveTensor& t : tensors) live += t.first_step <= step && step <= t.last_step ? t.bytes : 0;
      largest = std::max(largest, live);
    }
    RC_ASSERT(live_bytes_peak(tensors, steps).bytes == largest);
  });
  EXPECT_TRUE(held);
}

TEST(LivePeakDeath, RefusesATensorOutsideTheSchedule) {
  const std::vector<LiveTensor> tensors{{1, 0, 3}};
  EXPECT_DEATH(live_bytes_peak(tensors, 3), "within its schedule");
}

}  // namespace
}  // namespace cleave::cost
