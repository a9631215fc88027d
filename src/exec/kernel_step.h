#pragma once

#include <vector>

#include "exec/kernels/kernel.h"
#include "exec/step.h"

namespace cleave::exec {

/// Runs a kernel on slots; kNone where an optional tensor is left out.
class KernelStep : public Step {
 public:
  KernelStep(const graph::Node& node, Kernel kernel, std::vector<SlotId> inputs, std::vector<SlotId> outputs,
             const Program& program);
  void run(const RunContext& context) override;
  std::string describe() const override { return "reference"; }

 private:
  const graph::Node& node_;
  Kernel kernel_;
  std::vector<SlotId> input_slots_;
  std::vector<SlotId> output_slots_;
  std::vector<InputView> inputs_;
  std::vector<OutputView> outputs_;
};

/// Copies a tensor from one layout to another.
class CopyStep : public Step {
 public:
  CopyStep(SlotId from, SlotId to, const Program& program);
  void run(const RunContext& context) override;
  std::string describe() const override { return "strided"; }

 private:
  SlotId from_;
  SlotId to_;
  InputView source_;
  OutputView target_;
};

}  // namespace cleave::exec
