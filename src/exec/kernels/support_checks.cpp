#include "exec/kernels/support_checks.h"

#include <algorithm>
#include <array>
#include <set>

#include "exec/kernels/half.h"
#include "exec/kernels/input_checks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

bool is_one_of(DType dtype, std::initializer_list<DType> allowed) {
  return std::find(allowed.begin(), allowed.end(), dtype) != allowed.end();
}

Reason spatial_rank(const Graph& graph, const Node& node) {
  const std::size_t rank = graph.tensor(node.inputs[0]).shape.size();
  if (rank >= 3 && rank <= 5) return std::nullopt;
  return "1 to 3 spatial dimensions are supported, not " + std::to_string(static_cast<std::int64_t>(rank) - 2);
}

}  // namespace

Reason only_first_output(const Graph& graph, const Node& node) {
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    const TensorId id = node.outputs[i];
    if (id == TensorId::kNone) continue;
    if (!graph.consumers(id).empty() || graph.is_output(id)) {
      return "output " + std::to_string(i + 1) + " ('" + graph.tensor(id).name + "') is not supported";
    }
  }
  return std::nullopt;
}

std::optional<std::string> foreign_values(const std::string& op) {
  static const std::set<std::string> kStrings = {"StringNormalizer", "StringConcat", "StringSplit", "RegexFullMatch",
                                                 "TfIdfVectorizer"};
  if (op.find("Sequence") != std::string::npos && op != "ReverseSequence") return "sequences";
  if (op.starts_with("Optional")) return "optional values";
  return kStrings.contains(op) ? std::optional<std::string>("strings") : std::nullopt;
}

Reason check_convolution(const Graph& graph, const Node& node) {
  return spatial_rank(graph, node);
}

Reason check_pooling(const Graph& graph, const Node& node) {
  if (node.op != "MaxPool") {
    if (const Reason reason = only_first_output(graph, node)) return reason;
  }
  return spatial_rank(graph, node);
}

/// Scale, shift and statistics may be of other types than x; here all are read as one.
Reason check_batch_normalization(const Graph& graph, const Node& node) {
  const auto read_as = [](DType dtype) { return is_half(dtype) ? DType::kFloat32 : dtype; };
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const graph::TensorInfo& given = graph.tensor(node.inputs[i]);
    if (read_as(given.dtype) != read_as(graph.tensor(node.inputs[0]).dtype)) return wrong_type(given);
  }
  return node.integer("training_mode", 0) != 0 ? std::nullopt : only_first_output(graph, node);
}

Reason check_resize(const Graph& graph, const Node& node) {
  const Reason words =
      first_of({check_word(node, "mode", "nearest", {"nearest", "linear", "cubic"}),
                check_word(node, "coordinate_transformation_mode", "half_pixel",
                           {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric",
                            "tf_half_pixel_for_nn", "tf_crop_and_resize"}),
                check_word(node, "nearest_mode", "round_prefer_floor",
                           {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}),
                check_word(node, "keep_aspect_ratio_policy", "stretch", {"stretch", "not_larger", "not_smaller"})});
  if (words) return words;
  const DType dtype = graph.tensor(node.inputs[0]).dtype;
  const bool computes = node.text("mode", "nearest") != "nearest";
  if (computes && !is_half(dtype) &&
      !is_one_of(dtype, {DType::kFloat32, DType::kFloat64, DType::kUint8, DType::kInt8})) {
    return wrong_type(graph.tensor(node.inputs[0]));
  }
  for (const std::size_t i : {1U, 2U}) {
    const TensorId id = node.input(i);
    if (id == TensorId::kNone || graph.tensor(id).shape == Shape{0}) continue;
    if (graph.tensor(id).dtype != DType::kFloat32) return wrong_type(graph.tensor(id));
  }
  return std::nullopt;
}

Reason check_pad(const Graph&, const Node& node) {
  return check_word(node, "mode", "constant", {"constant", "edge", "reflect", "wrap"});
}

Reason check_scatter(const Graph& graph, const Node& node) {
  const std::string reduction = node.text("reduction", "none");
  if (!std::set<std::string>{"none", "add", "mul", "max", "min"}.contains(reduction)) {
    return "reduction '" + reduction + "' is not supported";
  }
  const DType dtype = graph.tensor(node.inputs[0]).dtype;
  const bool computes = reduction != "none";
  if (computes && (dtype == DType::kBool || is_half(dtype))) return wrong_type(graph.tensor(node.inputs[0]));
  return std::nullopt;
}

Reason check_one_hot(const Graph& graph, const Node& node) {
  const bool half = is_half(graph.tensor(node.inputs[0]).dtype) || is_half(graph.tensor(node.inputs[1]).dtype);
  return half ? wrong_type(graph.tensor(node.inputs[0])) : std::nullopt;
}

Reason check_cast(const Graph& graph, const Node& node) {
  if (dtype_bytes(graph.tensor(node.outputs[0]).dtype) == 0) return wrong_type(graph.tensor(node.outputs[0]));
  return std::nullopt;
}

Reason check_dropout(const Graph& graph, const Node& node) {
  const Tensor* training = node.input(2) == TensorId::kNone ? nullptr : graph.constant(node.input(2));
  const Tensor* ratio = node.input(1) == TensorId::kNone ? nullptr : graph.constant(node.input(1));
  const bool trains = training != nullptr && training->elements() == 1 && training->raw()[0] != std::byte{0};
  const bool drops = node.input(1) == TensorId::kNone || (ratio != nullptr && scalar_of(view_of(*ratio)) != 0);
  if (trains && drops) return "dropping at random (training_mode) is not supported";
  return std::nullopt;
}

Reason check_constant(const Graph&, const Node& node) {
  static const std::set<std::string> kKnown = {"value", "value_int", "value_ints", "value_float", "value_floats"};
  for (const auto& [key, value] : node.attributes) {
    if (!kKnown.contains(key)) return "attribute " + key + " is not supported";
  }
  return std::nullopt;
}

std::string_view limits_of(SupportCheck check) {
  struct Limits {
    SupportCheck check;
    std::string_view text;
  };
  static constexpr std::array kLimits{
      Limits{check_convolution, "1 to 3 spatial dimensions"},
      Limits{check_pooling, "1 to 3 spatial dimensions"},
      Limits{check_batch_normalization, "further outputs in training_mode only; float64 not mixed with others"},
      Limits{check_resize, "linear and cubic: floats, int8 and uint8; float32 scales and roi"},
      Limits{check_quantize, "float32 scales; codes of 4, 8 and 16 bits (dequantized also int32)"},
      Limits{check_conv_integer, "1 to 3 spatial dimensions"},
      Limits{check_matmul_integer, "zero points per tensor, per row of A or per column of B"},
      Limits{check_qlinear_conv, "1 to 3 spatial dimensions; float32 scales"},
      Limits{check_qlinear_matmul, "float32 scales, per tensor, per row of A or per column of B; one for the result"},
      Limits{check_recurrent, "one element type for all inputs"},
      Limits{check_grid_sample, "grid of the input's type"},
      Limits{check_roi_align, "opset 10 to 15 is raised to 16"},
      Limits{check_max_roi_pool, "pictures with two spatial dimensions"},
      Limits{check_max_unpool, "output_shape only where it is the size that kernel, strides and pads give"},
      Limits{check_top_k, "k has one element"},
      Limits{check_dft, "not inverse and onesided together; from opset 20 on with its axis, or three dimensions"},
      Limits{check_stft, "complex signals not onesided"},
      Limits{check_mel_weights, "bands within the spectrum"},
      Limits{check_layer_normalization, "scale and bias of the normalized shape"},
      Limits{check_group_normalization, "scale and bias per group or per channel"},
      Limits{check_scatter, "a reduction of numbers other than float16 and bfloat16"},
      Limits{check_one_hot, "indices and depth not float16 or bfloat16"},
      Limits{check_pad, "modes constant, edge, reflect and wrap"},
      Limits{check_cast, "no strings"},
      Limits{check_dropout, "not in training_mode, but with ratio 0"},
      Limits{check_constant, "no strings, no sparse values"},
      Limits{only_first_output, "the first output only"},
  };
  if (check == nullptr) return "";
  const auto found =
      std::find_if(kLimits.begin(), kLimits.end(), [check](const Limits& row) { return row.check == check; });
  return found == kLimits.end() ? "some attributes" : found->text;
}

}  // namespace cleave::exec
