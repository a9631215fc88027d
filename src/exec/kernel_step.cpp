#include "exec/kernel_step.h"

#include "exec/kernels/movement.h"

namespace cleave::exec {
namespace {

InputView input_view(const Slot& slot) {
  return {slot.dtype, slot.shape, strides_of(slot.shape, slot.layout), nullptr};
}

OutputView output_view(const Slot& slot) {
  return {slot.dtype, slot.shape, strides_of(slot.shape, slot.layout), nullptr};
}

}  // namespace

KernelStep::KernelStep(const graph::Node& node, Kernel kernel, std::vector<SlotId> inputs, std::vector<SlotId> outputs,
                       const Program& program)
    : node_(node), kernel_(kernel), input_slots_(std::move(inputs)), output_slots_(std::move(outputs)) {
  for (const SlotId id : input_slots_) {
    inputs_.push_back(id == SlotId::kNone ? InputView{} : input_view(program.slots[index(id)]));
  }
  for (const SlotId id : output_slots_) {
    outputs_.push_back(id == SlotId::kNone ? OutputView{} : output_view(program.slots[index(id)]));
  }
}

void KernelStep::run(const RunContext& context) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].present()) inputs_[i].data = context.at(input_slots_[i]);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].present()) outputs_[i].data = context.at(output_slots_[i]);
  }
  kernel_({node_, inputs_, outputs_});
}

CopyStep::CopyStep(SlotId from, SlotId to, const Program& program)
    : from_(from),
      to_(to),
      source_(input_view(program.slots[index(from)])),
      target_(output_view(program.slots[index(to)])) {}

void CopyStep::run(const RunContext& context) {
  strided_copy(dtype_bytes(target_.dtype), target_.shape, context.at(to_), target_.strides, context.at(from_),
               source_.strides);
}

}  // namespace cleave::exec
