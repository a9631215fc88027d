#include "cost/memory.h"

#include <vector>

#include "core/check.h"

namespace cleave::cost {

LivePeak live_bytes_peak(std::span<const LiveTensor> tensors, int steps) {
  CLEAVE_CHECK(steps >= 0, "a schedule has no negative length");
  std::vector<std::int64_t> change(static_cast<std::size_t>(steps) + 1, 0);
  for (const LiveTensor& tensor : tensors) {
    CLEAVE_CHECK(tensor.first_step >= 0 && tensor.first_step <= tensor.last_step && tensor.last_step < steps,
                 "a tensor lives within its schedule");
    change[static_cast<std::size_t>(tensor.first_step)] += tensor.bytes;
    change[static_cast<std::size_t>(tensor.last_step) + 1] -= tensor.bytes;
  }
  LivePeak peak;
  std::int64_t live = 0;
  for (int step = 0; step < steps; ++step) {
    live += change[static_cast<std::size_t>(step)];
    if (step == 0 || live > peak.bytes) peak = {live, step};
  }
  return peak;
}

}  // namespace cleave::cost
