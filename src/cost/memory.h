#pragma once

#include <cstdint>
#include <span>

namespace cleave::cost {

/// A tensor in memory from one schedule step to another, both included. One that is there before the first step has
/// first_step 0; one that is kept to the end has last_step = steps - 1.
struct LiveTensor {
  std::int64_t bytes = 0;
  int first_step = 0;
  int last_step = 0;
};

struct LivePeak {
  std::int64_t bytes = 0;
  int step = -1;  ///< the first step at which it is reached; -1 when there are no steps
};

/// The largest sum of live bytes over the steps of a schedule: max over k of sum of bytes with first <= k <= last.
/// Throws nothing for data; steps outside [0, steps) or first > last are our bug (checked).
/// Cost: O(tensors + steps).
LivePeak live_bytes_peak(std::span<const LiveTensor> tensors, int steps);

}  // namespace cleave::cost
