#include "graph/sample_independence.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace cleave::graph {
namespace {

/// Follows from the inputs which tensors are batches: first dimension the batch, sample i made of sample i.
class Tracer {
 public:
  explicit Tracer(const Graph& graph) : graph_(graph), batched_(graph.tensor_count(), false) {}

  bool all_outputs_are_batches() {
    const auto inputs = graph_.inputs();
    if (inputs.empty() || graph_.tensor(inputs[0]).shape.empty()) return false;
    batch_ = graph_.tensor(inputs[0]).shape[0];
    for (const TensorId id : inputs) {
      if (!has_batch_first(id)) return false;
      batched_[index(id)] = true;
    }
    for (const Node& node : graph_.nodes()) {
      if (!reads_batch(node)) continue;
      if (!keeps_samples_apart(node) || !std::all_of(node.outputs.begin(), node.outputs.end(), [&](TensorId id) {
            return id == TensorId::kNone || has_batch_first(id);
          })) {
        return false;
      }
      for (const TensorId id : node.outputs) {
        if (id != TensorId::kNone) batched_[index(id)] = true;
      }
    }
    const auto outputs = graph_.outputs();
    return std::all_of(outputs.begin(), outputs.end(), [&](TensorId id) { return is_batch(id); });
  }

 private:
  using Rule = bool (Tracer::*)(const Node&) const;
  struct Row {
    std::string_view op;
    Rule rule;
  };

  bool is_batch(TensorId id) const { return id != TensorId::kNone && batched_[index(id)]; }
  const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  bool has_batch_first(TensorId id) const { return !shape(id).empty() && shape(id)[0] == batch_; }
  bool reads_batch(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) { return is_batch(id); });
  }
  std::int64_t rank(const Node& node) const { return static_cast<std::int64_t>(shape(node.inputs[0]).size()); }
  std::int64_t axis(const Node& node, std::int64_t fallback) const {
    const std::int64_t given = node.integer("axis", fallback);
    return given < 0 ? given + rank(node) : given;
  }

  bool keeps_samples_apart(const Node& node) const {
    static constexpr std::array kRows{
        Row{"Add", &Tracer::broadcasts},
        Row{"Sub", &Tracer::broadcasts},
        Row{"Mul", &Tracer::broadcasts},
        Row{"Div", &Tracer::broadcasts},
        Row{"Pow", &Tracer::broadcasts},
        Row{"Min", &Tracer::broadcasts},
        Row{"Max", &Tracer::broadcasts},
        Row{"Sum", &Tracer::broadcasts},
        Row{"PRelu", &Tracer::broadcasts},
        Row{"Relu", &Tracer::only_first},
        Row{"LeakyRelu", &Tracer::only_first},
        Row{"Clip", &Tracer::only_first},
        Row{"Sigmoid", &Tracer::only_first},
        Row{"HardSigmoid", &Tracer::only_first},
        Row{"Tanh", &Tracer::only_first},
        Row{"HardSwish", &Tracer::only_first},
        Row{"Elu", &Tracer::only_first},
        Row{"Softplus", &Tracer::only_first},
        Row{"Exp", &Tracer::only_first},
        Row{"Log", &Tracer::only_first},
        Row{"Sqrt", &Tracer::only_first},
        Row{"Abs", &Tracer::only_first},
        Row{"Neg", &Tracer::only_first},
        Row{"Erf", &Tracer::only_first},
        Row{"Identity", &Tracer::only_first},
        Row{"Cast", &Tracer::only_first},
        Row{"Dropout", &Tracer::only_first},
        Row{"Conv", &Tracer::only_first},
        Row{"ConvTranspose", &Tracer::only_first},
        Row{"MaxPool", &Tracer::pools},
        Row{"AveragePool", &Tracer::only_first},
        Row{"GlobalAveragePool", &Tracer::only_first},
        Row{"GlobalMaxPool", &Tracer::only_first},
        Row{"BatchNormalization", &Tracer::normalizes},
        Row{"InstanceNormalization", &Tracer::only_first},
        Row{"LRN", &Tracer::only_first},
        Row{"DepthToSpace", &Tracer::only_first},
        Row{"SpaceToDepth", &Tracer::only_first},
        Row{"Resize", &Tracer::only_first},
        Row{"QuantizeLinear", &Tracer::quantizes},
        Row{"DequantizeLinear", &Tracer::quantizes},
        Row{"Softmax", &Tracer::along_last},
        Row{"LogSoftmax", &Tracer::along_last},
        Row{"Concat", &Tracer::joins},
        Row{"Split", &Tracer::along_first},
        Row{"Flatten", &Tracer::along_one},
        Row{"Reshape", &Tracer::only_first},
        Row{"Squeeze", &Tracer::only_first},
        Row{"Unsqueeze", &Tracer::only_first},
        Row{"Transpose", &Tracer::transposes},
        Row{"Gemm", &Tracer::multiplies_rows},
        Row{"MatMul", &Tracer::multiplies},
    };
    if (!node.domain.empty()) return false;
    const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.op == node.op; });
    return row != kRows.end() && (this->*row->rule)(node);
  }

  /// The batch comes in at the first place alone. With the first dimension kept, row-major order keeps samples apart.
  bool only_first(const Node& node) const {
    return is_batch(node.input(0)) &&
           std::none_of(node.inputs.begin() + 1, node.inputs.end(), [&](TensorId id) { return is_batch(id); });
  }
  /// Batches of the full rank; what else there is must be the same for all samples.
  bool broadcasts(const Node& node) const {
    const std::size_t full = shape(node.outputs[0]).size();
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) {
      const Shape& own = shape(id);
      return is_batch(id) ? own.size() == full : own.size() < full || own[0] == 1;
    });
  }
  bool quantizes(const Node& node) const {
    const bool per_axis = !shape(node.input(1)).empty() && element_count(shape(node.input(1))) > 1;
    return only_first(node) && (!per_axis || axis(node, 1) > 0);
  }
  bool along_last(const Node& node) const { return only_first(node) && axis(node, -1) > 0; }
  bool along_first(const Node& node) const { return only_first(node) && axis(node, 0) > 0; }
  bool along_one(const Node& node) const { return only_first(node) && axis(node, 1) > 0; }
  bool joins(const Node& node) const {
    return axis(node, 0) > 0 &&
           std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) { return is_batch(id); });
  }
  bool transposes(const Node& node) const {
    const std::vector<std::int64_t> order = node.integers("perm");
    return !order.empty() && order[0] == 0;
  }
  bool multiplies_rows(const Node& node) const {
    const bool same_for_all =
        node.input(2) == TensorId::kNone || shape(node.input(2)).size() < 2 || shape(node.input(2))[0] == 1;
    return only_first(node) && node.integer("transA", 0) == 0 && same_for_all;
  }

  /// One right side for all samples.
  bool multiplies(const Node& node) const {
    const Shape& right = shape(node.input(1));
    const std::size_t left_rank = shape(node.inputs[0]).size();
    return only_first(node) && left_rank >= 2 && right.size() >= 1 &&
           (right.size() <= 2 || right.size() < left_rank || right[0] == 1);
  }
  /// Indices of maxima count through the whole batch.
  bool pools(const Node& node) const { return only_first(node) && node.outputs.size() == 1; }
  /// In training mode it looks at the batch.
  bool normalizes(const Node& node) const { return only_first(node) && node.integer("training_mode", 0) == 0; }

  const Graph& graph_;
  std::int64_t batch_ = 0;
  std::vector<bool> batched_;
};

}  // namespace

bool has_independent_samples(const Graph& graph) {
  return Tracer(graph).all_outputs_are_batches();
}

}  // namespace cleave::graph
