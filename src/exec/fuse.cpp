#include "exec/fuse.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "exec/integer/codes.h"
#include "exec/integer/lowerings.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::TensorId;

std::optional<float> constant_scalar(const FusionFacts& facts, TensorId id, float fallback) {
  if (id == TensorId::kNone) return fallback;
  const Tensor* value = facts.constant(id);
  if (value == nullptr || value->dtype() != DType::kFloat32 || value->elements() != 1) return std::nullopt;
  return value->data<float>()[0];
}

std::optional<Activation> clip_activation(const Node& node, const FusionFacts& facts) {
  const auto low = constant_scalar(facts, node.input(1), std::numeric_limits<float>::lowest());
  const auto high = constant_scalar(facts, node.input(2), std::numeric_limits<float>::max());
  if (!low || !high) return std::nullopt;
  return Activation{Function::kClip, *low, *high};
}

/// x * Sigmoid(x) and x * HardSigmoid(x) as one function.
std::optional<Activation> gated(const Activation& gate) {
  if (gate.function == Function::kSigmoid) return Activation{Function::kSilu, 1.0f, 0.0f};
  const bool sixth = gate.function == Function::kHardSigmoid && std::abs(gate.alpha - 1.0f / 6.0f) < 1e-6f;
  if (sixth && gate.beta == 0.5f) return Activation{Function::kHardSwish, 1.0f / 6.0f, 0.5f};
  return std::nullopt;
}

class GroupFormer {
 public:
  GroupFormer(const Graph& graph, const FusionFacts& facts) : graph_(graph), facts_(facts), taken_(facts.skipped) {}

  std::vector<Group> run(bool fusing) {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      if (taken_[i]) continue;
      taken_[i] = true;
      Group group{static_cast<NodeId>(i), {}};
      if (fusing) grow(group);
      groups.push_back(std::move(group));
    }
    std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.last() < b.last(); });
    return groups;
  }

 private:
  void grow(Group& group) {
    const std::string& op = group.node(graph_).op;
    if (op == "QuantizeLinear") return add_clip_on_codes(group);
    if (op == "Reshape") return grow_shuffle(group);
    if (op == "Cast") return grow_half_rounding(group);
    if (op == "Div" && grow_grid_rounding(group)) return;
    if (op == "MatMul") add_bias(group);
    add_pointwise(group);
    const IntegerRow* integer = find_integer_row(op);
    if (integer != nullptr && integer->stores_codes) add_quantization(group);
  }

  void add_pointwise(Group& group) {
    static const std::set<std::string> kConvolutions = {"Conv", "ConvTranspose"};
    static const std::set<std::string> kProducts = {"Gemm", "MatMul"};
    static const std::set<std::string> kPointwise = {"Add", "Sub", "Mul", "Div", "BatchNormalization"};
    const std::string& op = group.node(graph_).op;
    const bool convolution = kConvolutions.contains(op);
    if (!convolution && !kProducts.contains(op) && !kPointwise.contains(op)) return;
    bool summed = !convolution;
    for (;;) {
      if (add_activation(group) || add_gate(group)) continue;
      if (summed || !add_sum(group)) return;
      summed = true;
    }
  }

  TensorId result(const Group& group) const { return group.result(graph_); }
  bool is_float(TensorId id) const { return graph_.tensor(id).dtype == DType::kFloat32; }

  /// The only reader of a tensor that nobody else looks at, if it is still free.
  std::optional<NodeId> sole_reader(TensorId id) const {
    const auto readers = graph_.consumers(id);
    if (facts_.visible[index(id)] || readers.size() != 1 || taken_[index(readers[0])]) return std::nullopt;
    return readers[0];
  }

  void take(Group& group, Follower follower) {
    for (const NodeId id : follower.nodes) taken_[index(id)] = true;
    follower.result = graph_.node(follower.nodes.back()).outputs[0];
    group.followers.push_back(std::move(follower));
  }

  bool add_activation(Group& group) {
    const auto next = sole_reader(result(group));
    if (!next || !is_float(result(group))) return false;
    const auto activation = activation_of(graph_.node(*next), facts_);
    if (!activation || graph_.node(*next).inputs[0] != result(group)) return false;
    take(group, {Follower::Kind::kActivation, {*next}, {}, *activation, TensorId::kNone});
    return true;
  }

  bool add_gate(Group& group) {
    const TensorId x = result(group);
    const auto readers = graph_.consumers(x);
    if (facts_.visible[index(x)] || readers.size() != 2 || !is_float(x)) return false;
    const NodeId gate = readers[0];
    const NodeId product = readers[1];
    const auto activation = activation_of(graph_.node(gate), facts_);
    if (!activation || graph_.node(product).op != "Mul" || taken_[index(gate)] || taken_[index(product)]) return false;
    const auto fused = gated(*activation);
    if (!fused || sole_reader(graph_.node(gate).outputs[0]) != product) return false;
    take(group, {Follower::Kind::kActivation, {gate, product}, {}, *fused, TensorId::kNone});
    return true;
  }

  bool add_sum(Group& group) {
    const TensorId x = result(group);
    const auto next = sole_reader(x);
    if (!next || graph_.node(*next).op != "Add" || !is_float(x)) return false;
    const auto& inputs = graph_.node(*next).inputs;
    const TensorId other = inputs[0] == x ? inputs[1] : inputs[0];
    if (other == x || graph_.tensor(other).shape != graph_.tensor(x).shape) return false;
    take(group, {Follower::Kind::kSum, {*next}, {}, {}, other});
    return true;
  }

  void add_bias(Group& group) {
    const TensorId x = result(group);
    const auto next = sole_reader(x);
    if (!next || graph_.node(*next).op != "Add" || !is_float(x)) return;
    const auto& inputs = graph_.node(*next).inputs;
    const TensorId other = inputs[0] == x ? inputs[1] : inputs[0];
    const Tensor* bias = facts_.constant(other);
    const Shape& shape = graph_.tensor(x).shape;
    if (bias == nullptr || shape.empty() || bias->shape().size() > shape.size()) return;
    if (bias->elements() != shape.back() || bias->shape().empty() || bias->shape().back() != shape.back()) return;
    take(group, {Follower::Kind::kBias, {*next}, {}, {}, other});
  }

  /// A Clip with constant bounds that alone reads these codes.
  std::optional<NodeId> clip_on_codes(TensorId codes) const {
    const auto next = sole_reader(codes);
    if (!next || graph_.node(*next).op != "Clip") return std::nullopt;
    const Node& clip = graph_.node(*next);
    const bool constant = constant_or_absent(clip.input(1)) && constant_or_absent(clip.input(2));
    return clip.inputs[0] == codes && constant ? next : std::nullopt;
  }

  bool constant_or_absent(TensorId id) const { return id == TensorId::kNone || facts_.constant(id) != nullptr; }

  void add_clip_on_codes(Group& group) {
    const auto clip = clip_on_codes(result(group));
    if (clip) take(group, {Follower::Kind::kClipCodes, {*clip}, {}, {}, TensorId::kNone});
  }

  /// QuantizeLinear and the Clip on its codes, behind a node that can store codes itself.
  void add_quantization(Group& group) {
    const auto next = sole_reader(result(group));
    if (!next || graph_.node(*next).op != "QuantizeLinear" || !is_float(result(group))) return;
    const Node& quantize = graph_.node(*next);
    if (quantize.inputs[0] != result(group) || !grid_of_quantize(graph_, facts_.constant, quantize, nullptr)) return;
    std::vector<NodeId> nodes{*next};
    const auto clip = clip_on_codes(quantize.outputs[0]);
    if (clip) nodes.push_back(*clip);
    take(group, {Follower::Kind::kQuantize, nodes, {}, {}, TensorId::kNone});
  }

  /// float32 -> float16 -> float32.
  void grow_half_rounding(Group& group) {
    const Node& narrow = group.node(graph_);
    const auto next = sole_reader(narrow.outputs[0]);
    const bool narrows = is_float(narrow.inputs[0]) && graph_.tensor(narrow.outputs[0]).dtype == DType::kFloat16;
    if (!narrows || !next || graph_.node(*next).op != "Cast" || !is_float(graph_.node(*next).outputs[0])) return;
    take(group, {Follower::Kind::kRounding, {*next}, {}, {}, TensorId::kNone});
  }

  /// x / s -> Round -> Clip to whole bounds -> * s.
  bool grow_grid_rounding(Group& group) {
    const TensorId step = group.node(graph_).inputs[1];
    if (!is_float(result(group)) || !constant_scalar(facts_, step, 0)) return false;
    const auto round = sole_reader(result(group));
    if (!round || graph_.node(*round).op != "Round") return false;
    const auto clip = sole_reader(graph_.node(*round).outputs[0]);
    if (!clip || graph_.node(*clip).op != "Clip" || graph_.node(*clip).inputs[0] != graph_.node(*round).outputs[0]) {
      return false;
    }
    const auto product = sole_reader(graph_.node(*clip).outputs[0]);
    if (!product || graph_.node(*product).op != "Mul" || graph_.node(*product).inputs[1] != step) return false;
    const Shape& made = graph_.tensor(graph_.node(*product).outputs[0]).shape;
    const bool same_shape = made == graph_.tensor(group.node(graph_).inputs[0]).shape;
    if (!same_shape || !clips_to_whole_numbers(graph_.node(*clip))) return false;
    take(group, {Follower::Kind::kRounding, {*round, *clip, *product}, {}, {}, TensorId::kNone});
    return true;
  }

  /// Within +-2^22, where the sum with 1.5 * 2^23 rounds to whole numbers.
  bool clips_to_whole_numbers(const Node& clip) const {
    constexpr float kLargest = 4194304.0F;
    const auto bounds = clip_activation(clip, facts_);
    if (!bounds || clip.input(1) == TensorId::kNone || clip.input(2) == TensorId::kNone) return false;
    const auto whole = [](float v) { return std::fabs(v) <= kLargest && std::nearbyint(v) == v; };
    return whole(bounds->alpha) && whole(bounds->beta);
  }

  /// [N, C, H, W] -> [N, g, C/g, H, W] -> swap the two -> [N, C, H, W].
  void grow_shuffle(Group& group) {
    const Node& open = group.node(graph_);
    const Shape& from = graph_.tensor(open.inputs[0]).shape;
    const Shape& split = graph_.tensor(open.outputs[0]).shape;
    if (from.size() != 4 || split.size() != 5 || split[1] * split[2] != from[1]) return;
    if (split[0] != from[0] || split[3] != from[2] || split[4] != from[3]) return;
    const auto turn = sole_reader(open.outputs[0]);
    if (!turn || graph_.node(*turn).op != "Transpose") return;
    if (graph_.node(*turn).integers("perm") != std::vector<std::int64_t>{0, 2, 1, 3, 4}) return;
    const auto close = sole_reader(graph_.node(*turn).outputs[0]);
    if (!close || graph_.node(*close).op != "Reshape") return;
    if (graph_.tensor(graph_.node(*close).outputs[0]).shape != from) return;
    take(group, {Follower::Kind::kShuffle, {*turn, *close}, {}, {}, TensorId::kNone});
  }

  const Graph& graph_;
  const FusionFacts& facts_;
  std::vector<bool> taken_;
};

}  // namespace

std::optional<Activation> activation_of(const Node& node, const FusionFacts& facts) {
  if (node.op == "Relu") return Activation{Function::kRelu, 0, 0};
  if (node.op == "LeakyRelu") return Activation{Function::kLeakyRelu, node.number("alpha", 0.01f), 0};
  if (node.op == "Clip") return clip_activation(node, facts);
  if (node.op == "Sigmoid") return Activation{Function::kSigmoid, 0, 0};
  if (node.op == "Tanh") return Activation{Function::kTanh, 0, 0};
  if (node.op == "Elu") return Activation{Function::kElu, node.number("alpha", 1.0f), 0};
  if (node.op == "HardSwish") return Activation{Function::kHardSwish, 1.0f / 6.0f, 0.5f};
  if (node.op == "HardSigmoid") {
    return Activation{Function::kHardSigmoid, node.number("alpha", 0.2f), node.number("beta", 0.5f)};
  }
  return std::nullopt;
}

std::vector<Group> form_groups(const Graph& graph, const FusionFacts& facts, bool fusing) {
  return GroupFormer(graph, facts).run(fusing);
}

}  // namespace cleave::exec
