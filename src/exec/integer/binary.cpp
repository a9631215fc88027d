#include <algorithm>
#include <array>

#include "exec/integer/binary_step.h"
#include "exec/integer/epilogue.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/steps.h"
#include "exec/kernels/operator_table.h"

namespace cleave::exec::integer {
namespace {

using graph::Node;
using graph::TensorId;

/// f(x) for 256 values at once, by the operator's own kernel; `which` is the input that varies.
std::array<float, 256> apply(Compiler& compiler, const Node& node, std::size_t which,
                             const std::array<float, 256>& values) {
  const Tensor x = Tensor::from<float>({256}, std::span<const float>(values));
  Tensor y(DType::kFloat32, {256});
  std::vector<InputView> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorId id = node.inputs[i];
    const Tensor* constant = compiler.constant(id);
    inputs.push_back(i == which ? view_of(x) : constant == nullptr ? InputView{} : view_of(*constant));
  }
  const OutputView output{DType::kFloat32, {256}, {1}, y.mutable_raw().data()};
  operator_of(node).reference({node, inputs, {&output, 1}});
  std::array<float, 256> result{};
  std::copy_n(y.data<float>().begin(), 256, result.begin());
  return result;
}

/// Emits a table lookup that does what the node does to its input `which`; the others are constants.
bool emit_table(Compiler& compiler, const Group& group, std::size_t which) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[which]);
  const auto grid = stored_grid(compiler, group.followers);
  if (!source || !grid || compiler.shape(source->codes) != compiler.shape(node.outputs[0])) return false;
  std::array<float, 256> values{};
  const std::int32_t first = source->grid.dtype == DType::kInt8 ? -128 : 0;
  for (std::int32_t i = 0; i < 256; ++i) values[static_cast<std::size_t>(i)] = source->grid.value(first + i);
  const std::array<float, 256> results = apply(compiler, node, which, values);
  CodeTable table{};
  for (std::int32_t i = 0; i < 256; ++i) {
    table[static_cast<std::uint8_t>(first + i)] =
        static_cast<std::uint8_t>(grid->code(results[static_cast<std::size_t>(i)]));
  }
  const Layout layout = compiler.layout_at_hand(source->codes);
  const SlotId from = compiler.read(source->codes, layout);
  const SlotId to = compiler.write(group.result(compiler.graph()), layout);
  const Run run{from, to, element_count(compiler.shape(source->codes))};
  compiler.emit({std::make_unique<TableStep>(table, run), {from}, {to}, from, 0, {}});
  return true;
}

bool is_scalar_constant(const Compiler& compiler, TensorId id) {
  const Tensor* value = compiler.constant(id);
  return value != nullptr && value->elements() == 1;
}

std::optional<CodeBinary::Function> function_of(const Node& node) {
  if (node.op == "Add") return CodeBinary::Function::kAdd;
  if (node.op == "Sub") return CodeBinary::Function::kSubtract;
  if (node.op == "Mul") return CodeBinary::Function::kMultiply;
  return std::nullopt;
}

/// Says how the second operand repeats: not at all, or over the pixels of each image ([N or 1, C, 1, ...]). False when
/// it repeats in another way.
bool set_repetition(CodeBinary& call, const Shape& full, const Shape& other, Layout layout) {
  call.width = element_count(full);
  if (full == other) return true;
  if (full.size() < 3 || other.size() != full.size() || other[1] != full[1]) return false;
  if (layout != Layout::kChannelsLast || (other[0] != 1 && other[0] != full[0])) return false;
  if (std::any_of(other.begin() + 2, other.end(), [](std::int64_t d) { return d != 1; })) return false;
  call.images = full[0];
  call.width = full[1];
  call.rows = element_count(full) / full[0] / full[1];
  call.b_image_stride = other[0] == 1 ? 0 : full[1];
  return true;
}

}  // namespace

bool lower_pointwise(Compiler& compiler, const Group& group) {
  return emit_table(compiler, group, 0);
}

bool lower_binary(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (is_scalar_constant(compiler, node.inputs[1])) return emit_table(compiler, group, 0);
  if (is_scalar_constant(compiler, node.inputs[0])) return emit_table(compiler, group, 1);
  const auto grid = stored_grid(compiler, group.followers);
  const auto function = function_of(node);
  auto a = compiler.coded(node.inputs[0]);
  auto b = compiler.coded(node.inputs[1]);
  if (!grid || !function || !a || !b) return false;
  if (a->grid.dtype != b->grid.dtype || a->grid.dtype != grid->dtype) return false;
  const TensorId result = group.result(compiler.graph());
  const Shape& full = compiler.shape(result);
  if (compiler.shape(a->codes) != full) {
    if (*function == CodeBinary::Function::kSubtract) return false;
    std::swap(a, b);
  }
  if (compiler.shape(a->codes) != full) return false;
  const Layout layout = compiler.layout_at_hand(a->codes);
  CodeBinary call{*function, a->grid, b->grid, *grid};
  if (!set_repetition(call, full, compiler.shape(b->codes), layout)) return false;
  const SlotId left = compiler.read(a->codes, layout);
  const SlotId right = compiler.read(b->codes, layout);
  const SlotId to = compiler.write(result, layout);
  compiler.emit({std::make_unique<CodeBinaryStep>(call, left, right, to), {left, right}, {to}, left, 0, {}});
  return true;
}

}  // namespace cleave::exec::integer
