#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "exec/step.h"

namespace cleave::exec {

/// Called before the first step (`step` -1) and after each step, in the thread that runs the program.
class RunHook {
 public:
  virtual ~RunHook() = default;
  /// `step` is the position in Program::steps: unit, operator and Step::describe() are found there. `slots`: where
  /// each slot lies in this run; a slot holds its value once its `ready` step is over.
  virtual void after(std::int32_t step, std::span<std::byte* const> slots) = 0;
};

/// What a step is, for people: operator and implementation, "Conv brgconv:avx512_core".
std::string step_name(const ScheduledStep& step);

/// A program with memory to run in. One run at a time.
class Executor {
 public:
  explicit Executor(Program program);
  /// The slots point into memory of this object.
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  const Program& program() const { return program_; }

  /// Replaces what cannot be written over by tensors of the outputs' types and shapes: other types or shapes, and
  /// bytes that somebody else holds.
  void fit_outputs(std::vector<Tensor>& outputs) const;

  /// Runs all steps in order. `inputs` and `outputs` have the program's types and shapes (the caller checks them);
  /// outputs are written where they lie, so they must not share bytes with inputs. Allocates nothing by itself.
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs, RunHook* hook = nullptr);

 private:
  void place_arena();
  void place_interface(std::span<const Tensor> inputs, std::span<Tensor> outputs);

  Program program_;
  Tensor arena_;
  Tensor scratch_;
  std::vector<std::byte*> slots_;
};

}  // namespace cleave::exec
