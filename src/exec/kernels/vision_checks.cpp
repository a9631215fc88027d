#include <algorithm>
#include <array>

#include "exec/kernels/input_checks.h"
#include "exec/kernels/reference/recurrent.h"
#include "exec/kernels/support_checks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using graph::TensorInfo;

Reason check_activations(const Node& node, std::size_t wanted) {
  const auto found = node.attributes.find("activations");
  if (found == node.attributes.end()) return std::nullopt;
  const auto* names = std::get_if<std::vector<std::string>>(&found->second);
  if (names == nullptr || names->size() != wanted) {
    return "attribute activations needs " + std::to_string(wanted) + " names";
  }
  for (const std::string& name : *names) {
    if (!reference::is_gate_activation(name)) return "activation '" + name + "' is not supported";
  }
  return std::nullopt;
}

/// Gates and activations per direction.
struct CellKind {
  std::string_view op;
  std::int64_t gates;
  std::size_t activations;
};

constexpr std::array<CellKind, 3> kCells = {{{"RNN", 1, 1}, {"GRU", 3, 2}, {"LSTM", 4, 3}}};

}  // namespace

Reason check_recurrent(const Graph& graph, const Node& node) {
  if (const Reason reason = check_word(node, "direction", "forward", {"forward", "reverse", "bidirectional"})) {
    return reason;
  }
  const auto cell = std::find_if(kCells.begin(), kCells.end(), [&](const CellKind& c) { return c.op == node.op; });
  const std::int64_t directions = node.text("direction", "forward") == "bidirectional" ? 2 : 1;
  const DType type = graph.tensor(node.inputs[0]).dtype;
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const Shape& r = graph.tensor(node.inputs[2]).shape;
  if (x.size() != 3 || r.size() != 3) return "inputs X and R need 3 dimensions";
  const bool batch_first = node.integer("layout", 0) != 0;
  const std::int64_t batch = x[batch_first ? 0 : 1];
  const std::int64_t hidden = r[2];
  const std::int64_t rows = cell->gates * hidden;
  const Shape state = batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  const Reason reason = check_inputs(graph, node,
                                     {{1, type, {directions, rows, x[2]}},
                                      {2, type, {directions, rows, hidden}},
                                      {3, type, {directions, 2 * rows}},
                                      {4, DType::kInt32, {batch}},
                                      {5, type, state},
                                      {6, type, state},
                                      {7, type, {directions, 3 * hidden}}});
  if (reason) return reason;
  return check_activations(node, cell->activations * static_cast<std::size_t>(directions));
}

Reason check_grid_sample(const Graph& graph, const Node& node) {
  const TensorInfo& x = graph.tensor(node.inputs[0]);
  const Reason words =
      first_of({check_word(node, "mode", "linear", {"linear", "bilinear", "nearest", "cubic", "bicubic"}),
                check_word(node, "padding_mode", "zeros", {"zeros", "border", "reflection"})});
  if (words) return words;
  if (x.shape.size() < 3) return "the input needs spatial dimensions";
  Shape grid(x.shape.size(), -1);
  grid.front() = x.shape.front();
  grid.back() = static_cast<std::int64_t>(x.shape.size()) - 2;
  return check_inputs(graph, node, {{1, x.dtype, grid}});
}

Reason check_roi_align(const Graph& graph, const Node& node) {
  const Reason words =
      first_of({check_word(node, "mode", "avg", {"avg", "max"}),
                check_word(node, "coordinate_transformation_mode", "half_pixel", {"half_pixel", "output_half_pixel"})});
  if (words) return words;
  if (graph.tensor(node.inputs[0]).shape.size() != 4) return "the input needs 4 dimensions";
  const std::int64_t regions = graph.tensor(node.outputs[0]).shape.front();
  const DType indices = graph.tensor(node.inputs[2]).dtype == DType::kInt32 ? DType::kInt32 : DType::kInt64;
  return check_inputs(graph, node, {{1, graph.tensor(node.inputs[0]).dtype, {regions, 4}}, {2, indices, {regions}}});
}

Reason check_max_roi_pool(const Graph& graph, const Node& node) {
  if (graph.tensor(node.inputs[0]).shape.size() != 4) return "the input needs 4 dimensions";
  const std::int64_t regions = graph.tensor(node.outputs[0]).shape.front();
  return check_inputs(graph, node, {{1, graph.tensor(node.inputs[0]).dtype, {regions, 5}}});
}

/// Indices count in the tensor that MaxPool saw. Where output_shape asks for another size, versions of ONNX disagree
/// about what an index means.
Reason check_max_unpool(const Graph& graph, const Node& node) {
  const Shape& in = graph.tensor(node.inputs[0]).shape;
  const Shape& out = graph.tensor(node.outputs[0]).shape;
  const Shape kernel = node.integers("kernel_shape");
  const Shape strides = node.integers("strides", Shape(kernel.size(), 1));
  const Shape pads = node.integers("pads", Shape(2 * kernel.size(), 0));
  if (in.size() != kernel.size() + 2 || strides.size() != kernel.size() || pads.size() != 2 * kernel.size()) {
    return "attributes do not have one value per spatial dimension";
  }
  Shape whole = in;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    whole[i + 2] = (in[i + 2] - 1) * strides[i] + kernel[i] - pads[i] - pads[kernel.size() + i];
  }
  if (out != whole)
    return "output_shape " + shape_text(out) + " is not the size " + shape_text(whole) + " of kernel, strides and pads";
  return check_inputs(graph, node, {{1, DType::kInt64, graph.tensor(node.inputs[0]).shape}});
}

Reason check_top_k(const Graph& graph, const Node& node) {
  const TensorInfo& k = graph.tensor(node.inputs[1]);
  if (element_count(k.shape) != 1) return "'" + k.name + "' needs one element";
  return check_inputs(graph, node, {{1, DType::kInt64, k.shape}});
}

Reason check_layer_normalization(const Graph& graph, const Node& node) {
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const std::int64_t axis = node.integer("axis", -1);
  const auto rank = static_cast<std::int64_t>(x.size());
  if (axis < -rank || axis >= rank) return "axis " + std::to_string(axis) + " is outside the input";
  const std::int64_t count =
      element_count(Shape(x.begin() + static_cast<std::ptrdiff_t>(axis_index(axis, x.size())), x.end()));
  for (const std::size_t i : {1U, 2U}) {
    const TensorId id = node.input(i);
    if (id == TensorId::kNone || element_count(graph.tensor(id).shape) == count) continue;
    return wrong_shape(graph.tensor(id));
  }
  return std::nullopt;
}

Reason check_group_normalization(const Graph& graph, const Node& node) {
  const DType type = graph.tensor(node.inputs[0]).dtype;
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const std::int64_t groups = node.integer("num_groups", 0);
  if (x.size() < 2 || groups < 1 || x[1] % groups != 0) return "channels do not divide into num_groups";
  // Opset 18 scales groups, opset 21 channels.
  const bool by_group = graph.tensor(node.inputs[1]).shape == Shape{groups};
  const Shape wanted{by_group ? groups : x[1]};
  return check_inputs(graph, node, {{1, type, wanted}, {2, type, wanted}});
}

}  // namespace cleave::exec
