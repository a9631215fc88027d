#include "exec/executor.h"

#include "exec/fit_tensor.h"

namespace cleave::exec {

std::string step_name(const ScheduledStep& step) {
  return step.op + " " + step.step->describe();
}

Executor::Executor(Program program)
    : program_(std::move(program)),
      arena_(DType::kUint8, {program_.arena_bytes}),
      scratch_(DType::kUint8, {program_.scratch_bytes}),
      slots_(program_.slots.size(), nullptr) {
  place_arena();
}

void Executor::place_arena() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Buffer& buffer = program_.buffers[program_.slots[i].buffer];
    if (buffer.storage == Storage::kArena) slots_[i] = arena_.mutable_raw().data() + buffer.offset;
    if (buffer.storage == Storage::kConstant) slots_[i] = const_cast<std::byte*>(buffer.constant);
  }
}

void Executor::place_interface(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Buffer& buffer = program_.buffers[program_.slots[i].buffer];
    if (buffer.storage == Storage::kInput) slots_[i] = const_cast<std::byte*>(inputs[buffer.position].raw().data());
    if (buffer.storage == Storage::kOutput) slots_[i] = outputs[buffer.position].mutable_raw().data();
  }
}

void Executor::fit_outputs(std::vector<Tensor>& outputs) const {
  outputs.resize(program_.outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Slot& slot = program_.slots[index(program_.outputs[i])];
    fit_tensor(outputs[i], slot.dtype, slot.shape);
  }
}

void Executor::run(std::span<const Tensor> inputs, std::span<Tensor> outputs, RunHook* hook) {
  place_interface(inputs, outputs);
  const RunContext context{slots_.data(), scratch_.mutable_raw().data()};
  if (hook != nullptr) hook->after(-1, slots_);
  for (std::size_t i = 0; i < program_.steps.size(); ++i) {
    program_.steps[i].step->run(context);
    if (hook != nullptr) hook->after(static_cast<std::int32_t>(i), slots_);
  }
}

}  // namespace cleave::exec
