#pragma once

#include <cstdint>
#include <vector>

#include "exec/integer/codes.h"
#include "exec/kernels/window.h"
#include "exec/step.h"

namespace cleave::exec {

/// Mean of codes over windows, channels-last: to.code(from.scale * (sum - n * zero_point) / n), n the number of taps
/// that count.
struct CodeAverage {
  CodeGrid from;
  CodeGrid to;
  Window window;
  std::int64_t images = 1;
  std::int64_t channels = 1;
  bool include_pad = false;  ///< taps in the padding count
};

class CodeAverageStep : public Step {
 public:
  CodeAverageStep(const CodeAverage& call, SlotId from, SlotId to) : call_(call), from_(from), to_(to) {}
  void run(const RunContext& context) override;

 private:
  CodeAverage call_;
  SlotId from_;
  SlotId to_;
};

}  // namespace cleave::exec
