#pragma once

#include <cstdint>

#include "exec/integer/codes.h"
#include "exec/kernels/resize_axis.h"
#include "exec/step.h"

namespace cleave::exec {

/// Height and width of channels-last codes resampled, each with one tap (nearest) or two (linear), and stored on
/// another grid.
struct CodeResize {
  CodeGrid from;
  CodeGrid to;
  AxisResampling rows;
  AxisResampling columns;
  std::int64_t images = 1;
  std::int64_t channels = 1;
};

class CodeResizeStep : public Step {
 public:
  CodeResizeStep(CodeResize call, SlotId from, SlotId to) : call_(std::move(call)), from_(from), to_(to) {}
  void run(const RunContext& context) override;

 private:
  template <typename Code>
  void run_codes(const Code* from, Code* to) const;

  CodeResize call_;
  SlotId from_;
  SlotId to_;
};

}  // namespace cleave::exec
