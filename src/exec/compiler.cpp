#include "exec/compiler.h"

#include <algorithm>

#include "core/check.h"
#include "exec/fold_constants.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/steps.h"
#include "exec/kernel_step.h"
#include "exec/kernels/fast/reorder.h"
#include "exec/kernels/movement.h"
#include "exec/kernels/operator_table.h"
#include "exec/memory_plan.h"
#include "graph/first_output.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::TensorId;

std::vector<SlotId> without_absent(const std::vector<SlotId>& slots) {
  std::vector<SlotId> present;
  std::copy_if(slots.begin(), slots.end(), std::back_inserter(present), [](SlotId id) { return id != SlotId::kNone; });
  return present;
}

/// True when 4-bit elements are among them: those lie plain.
bool has_packed(const Compiler& compiler, const Node& node) {
  const auto packed = [&](TensorId id) { return id != TensorId::kNone && is_packed(compiler.dtype(id)); };
  return std::any_of(node.inputs.begin(), node.inputs.end(), packed) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), packed);
}

/// True when a node reads or makes a tensor without elements: the definition says what comes out, fast kernels do not.
/// (Inputs behind the first may be empty lists: Resize's regions.)
bool touches_nothing(const Compiler& compiler, const Node& node) {
  const auto empty = [&](TensorId id) { return id != TensorId::kNone && element_count(compiler.shape(id)) == 0; };
  return empty(node.input(0)) || std::any_of(node.outputs.begin(), node.outputs.end(), empty);
}

/// The layout that all tensors of full rank take: channels-last as soon as one input is.
Layout leading_layout(const Compiler& compiler, const Node& node, std::size_t rank) {
  for (const TensorId id : node.inputs) {
    if (id == TensorId::kNone || compiler.constant(id) != nullptr || compiler.shape(id).size() != rank) continue;
    if (compiler.layout_at_hand(id) == Layout::kChannelsLast) return Layout::kChannelsLast;
  }
  return Layout::kPlain;
}

}  // namespace

Program compile(const CompileRequest& request) {
  return Compiler(request).run();
}

Compiler::Compiler(const CompileRequest& request)
    : request_(request), known_(request.graph.tensor_count(), {SlotId::kNone, SlotId::kNone}) {
  facts_.constant = [this](TensorId id) { return constant(id); };
  for (const Node& node : graph().nodes()) {
    facts_.skipped.push_back(request.folded.all_known(node));
  }
  facts_.visible.assign(graph().tensor_count(), false);
  for (const TensorId id : graph().outputs()) facts_.visible[index(id)] = true;
  for (const TensorId id : request.taps) facts_.visible[index(id)] = true;
}

Program Compiler::run() {
  add_inputs();
  for (const Group& group : form_groups(graph(), facts_, request_.kernels == Kernels::kFast)) {
    lower(group);
    request_.folded.forget_large();  // its weights lie packed in its steps
  }
  finish_outputs();
  finish_taps();
  plan_memory(program_);
  return std::move(program_);
}

const graph::TensorInfo& Compiler::info(TensorId id) const {
  const std::size_t own = graph().tensor_count();
  return index(id) < own ? graph().tensor(id) : added_[index(id) - own];
}

const Tensor* Compiler::constant(TensorId id) const {
  if (id == TensorId::kNone) return nullptr;
  return request_.folded.value(id);
}

TensorId Compiler::add_tensor(DType dtype, Shape shape) {
  const auto id = static_cast<TensorId>(graph().tensor_count() + added_.size());
  added_.push_back({"", dtype, true, std::move(shape), {}});
  known_.push_back({SlotId::kNone, SlotId::kNone});
  return id;
}

std::optional<CodedTensor> Compiler::coded(TensorId id) const {
  const auto found = coded_.find(id);
  return found == coded_.end() ? std::nullopt : std::optional(found->second);
}

void Compiler::set_coded(TensorId id, const CodedTensor& codes) {
  coded_[id] = codes;
}

SlotId& Compiler::known(TensorId id, Layout layout) {
  return known_[index(id)][canonical(layout, shape(id)) == Layout::kPlain ? 0 : 1];
}

Layout Compiler::layout_at_hand(TensorId id) const {
  const bool at_hand = known_[index(id)][0] != SlotId::kNone || known_[index(id)][1] != SlotId::kNone;
  if (const auto codes = coded(id); codes && !at_hand) return layout_at_hand(codes->codes);
  return known_[index(id)][1] == SlotId::kNone ? Layout::kPlain : Layout::kChannelsLast;
}

std::int64_t Compiler::bytes_of(TensorId id) const {
  return static_cast<std::int64_t>(storage_bytes(dtype(id), element_count(shape(id))));
}

SlotId Compiler::add_slot(TensorId id, Layout layout, std::size_t buffer) {
  const auto slot = static_cast<SlotId>(program_.slots.size());
  program_.slots.push_back({id, canonical(layout, shape(id)), dtype(id), shape(id), buffer, -1});
  known(id, layout) = slot;
  return slot;
}

void Compiler::add_inputs() {
  for (std::size_t i = 0; i < graph().inputs().size(); ++i) {
    const TensorId id = graph().inputs()[i];
    program_.buffers.push_back({Storage::kInput, bytes_of(id), nullptr, i, 0});
    program_.inputs.push_back(add_slot(id, Layout::kPlain, program_.buffers.size() - 1));
  }
}

SlotId Compiler::add_constant(TensorId id, Layout layout) {
  Tensor value = *constant(id);
  if (canonical(layout, shape(id)) == Layout::kChannelsLast) {
    Tensor turned(value.dtype(), value.shape());
    strided_copy(dtype_bytes(value.dtype()), value.shape(), turned.mutable_raw().data(),
                 strides_of(value.shape(), Layout::kChannelsLast), value.raw().data(),
                 strides_of(value.shape(), Layout::kPlain));
    value = std::move(turned);
  }
  program_.buffers.push_back({Storage::kConstant, bytes_of(id), value.raw().data(), 0, 0});
  program_.constants.push_back(std::move(value));
  return add_slot(id, layout, program_.buffers.size() - 1);
}

SlotId Compiler::read(TensorId id, Layout layout) {
  if (known(id, layout) != SlotId::kNone) return known(id, layout);
  if (constant(id) != nullptr) return add_constant(id, layout);
  const Layout other = canonical(layout, shape(id)) == Layout::kPlain ? Layout::kChannelsLast : Layout::kPlain;
  const SlotId source = known_[index(id)][other == Layout::kPlain ? 0 : 1];
  if (const auto codes = coded(id); codes && source == SlotId::kNone) return decode(*codes, id, layout);
  CLEAVE_CHECK(source != SlotId::kNone, "groups run after the groups that make their inputs");
  return copy_to(source, id, layout);
}

SlotId Compiler::copy_to(SlotId source, TensorId id, Layout layout) {
  const SlotId target = write(id, layout);
  std::int64_t scratch = 0;
  std::unique_ptr<Step> step;
  const bool reorderable = dtype(id) == DType::kFloat32 || dtype(id) == DType::kUint8 || dtype(id) == DType::kInt8;
  if (request_.dnnl != nullptr && reorderable) {
    step = fast::make_reorder(*request_.dnnl, program_.slots[index(source)], program_.slots[index(target)], source,
                              target, scratch);
  }
  if (step == nullptr) step = std::make_unique<CopyStep>(source, target, program_);
  emit({std::move(step), {source}, {target}, SlotId::kNone, scratch, {}, "Reorder"});
  return target;
}

SlotId Compiler::decode(const CodedTensor& codes, TensorId id, Layout layout) {
  const SlotId source = read(codes.codes, layout);
  const SlotId target = write(id, layout);
  const Run run{source, target, element_count(shape(id))};
  emit({std::make_unique<DequantizeStep>(codes.grid, run), {source}, {target}, SlotId::kNone, 0, {}, "Dequantize"});
  return target;
}

SlotId Compiler::write(TensorId id, Layout layout) {
  program_.buffers.push_back({Storage::kArena, bytes_of(id), nullptr, 0, 0});
  return add_slot(id, layout, program_.buffers.size() - 1);
}

void Compiler::alias(TensorId id, Layout layout, SlotId source) {
  const std::size_t buffer = program_.slots[index(source)].buffer;
  const std::int32_t ready = program_.slots[index(source)].ready;
  const SlotId made = add_slot(id, layout, buffer);
  program_.slots[index(made)].ready = ready;
}

void Compiler::emit(ScheduledStep step) {
  step.unit = unit_;
  if (step.op.empty()) step.op = op_;
  for (const SlotId id : step.writes) {
    program_.slots[index(id)].ready = static_cast<std::int32_t>(program_.steps.size());
  }
  program_.steps.push_back(std::move(step));
}

std::optional<std::size_t> Compiler::lower_by(FastLowering lowering, Group group) {
  while (!lowering(*this, group)) {
    if (group.followers.empty()) return std::nullopt;
    group.followers.pop_back();
  }
  return group.followers.size();
}

std::size_t Compiler::lower_fast(const Group& group) {
  if (touches_nothing(*this, group.node(graph()))) {
    lower_plainly(group.main);
    return 0;
  }
  const std::string& op = group.node(graph()).op;
  if (const IntegerRow* integer = find_integer_row(op)) {
    if (const auto taken = lower_by(integer->lower, group)) return *taken;
  }
  Group in_floats = group;
  if (!group.followers.empty() && group.followers.back().kind == Follower::Kind::kQuantize) {
    in_floats.followers.pop_back();
  }
  if (const FastLowering fast = operator_of(group.node(graph())).fast) {
    if (const auto taken = lower_by(fast, in_floats)) return *taken;
  }
  lower_plainly(group.main);
  return 0;
}

void Compiler::lower(const Group& group) {
  unit_ = graph().unit_of(group.main);
  op_ = group.node(graph()).op;
  std::size_t taken = 0;
  if (request_.kernels == Kernels::kFast) {
    taken = lower_fast(group);
  } else {
    lower_plainly(group.main);
  }
  for (std::size_t i = taken; i < group.followers.size(); ++i) lower_alone(group.followers[i]);
}

void Compiler::lower_alone(const Follower& follower) {
  if (follower.kind == Follower::Kind::kQuantize && follower.nodes.size() == 2) {
    const TensorId codes = node(follower.nodes[1]).outputs[0];
    return lower({follower.nodes[0], {{Follower::Kind::kClipCodes, {follower.nodes[1]}, codes, {}, TensorId::kNone}}});
  }
  for (const NodeId id : follower.nodes) lower({id, {}});
}

void Compiler::lower_plainly(NodeId id, const std::map<TensorId, TensorId>& stand_ins) {
  const Node& node = graph().node(id);
  const auto actual = [&stand_ins](TensorId tensor) {
    const auto found = stand_ins.find(tensor);
    return found == stand_ins.end() ? tensor : found->second;
  };
  const Operator& row = operator_of(node);
  unit_ = graph().unit_of(id);
  const std::size_t rank = shape(first_output(node)).size();
  const bool leads = row.layouts == LayoutSupport::kAlike || row.layouts == LayoutSupport::kFollows;
  const Layout layout = leads && !has_packed(*this, node) ? leading_layout(*this, node, rank) : Layout::kPlain;
  std::vector<SlotId> inputs;
  for (const TensorId given : node.inputs) {
    const TensorId input = given == TensorId::kNone ? given : actual(given);
    if (input == TensorId::kNone) {
      inputs.push_back(SlotId::kNone);
    } else if (row.layouts == LayoutSupport::kStridedInputs) {
      inputs.push_back(read(input, layout_at_hand(input)));
    } else {
      inputs.push_back(read(input, shape(input).size() == rank ? layout : Layout::kPlain));
    }
  }
  std::vector<SlotId> outputs;
  for (const TensorId output : node.outputs) {
    outputs.push_back(output == TensorId::kNone ? SlotId::kNone : write(actual(output), layout));
  }
  const SlotId overwritten = row.may_overwrite && !inputs.empty() ? inputs[0] : SlotId::kNone;
  auto step = std::make_unique<KernelStep>(node, row.reference, inputs, outputs, program_);
  emit({std::move(step), without_absent(inputs), without_absent(outputs), overwritten, 0, {}, node.op});
}

void Compiler::finish_outputs() {
  std::vector<bool> claimed(program_.buffers.size(), false);
  for (std::size_t i = 0; i < graph().outputs().size(); ++i) {
    const TensorId id = graph().outputs()[i];
    SlotId slot = read(id, Layout::kPlain);
    const std::size_t before = program_.slots[index(slot)].buffer;
    claimed.resize(program_.buffers.size(), false);
    if (program_.buffers[before].storage != Storage::kArena || claimed[before]) {
      const SlotId source = slot;
      slot = write(id, Layout::kPlain);
      emit({std::make_unique<CopyStep>(source, slot, program_), {source}, {slot}, SlotId::kNone, 0, {}, "Copy"});
      claimed.resize(program_.buffers.size(), false);
    }
    Buffer& buffer = program_.buffers[program_.slots[index(slot)].buffer];
    claimed[program_.slots[index(slot)].buffer] = true;
    buffer.storage = Storage::kOutput;
    buffer.position = i;
    program_.outputs.push_back(slot);
  }
}

void Compiler::finish_taps() {
  for (const TensorId id : request_.taps) {
    if (dtype(id) != DType::kFloat32) continue;
    const auto first =
        std::find_if(program_.slots.begin(), program_.slots.end(), [&](const Slot& slot) { return slot.tensor == id; });
    const SlotId slot = first == program_.slots.end()
                            ? read(id, Layout::kPlain)
                            : static_cast<SlotId>(std::distance(program_.slots.begin(), first));
    program_.taps.push_back({id, slot});
  }
  std::stable_sort(program_.taps.begin(), program_.taps.end(), [&](const Tap& a, const Tap& b) {
    return program_.slots[index(a.slot)].ready < program_.slots[index(b.slot)].ready;
  });
}

}  // namespace cleave::exec
