#include "graph/units.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "graph/first_output.h"

namespace cleave::graph {

namespace {

template <std::size_t N>
bool is_one_of(std::string_view op, const std::array<std::string_view, N>& ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

constexpr std::array<std::string_view, 7> kHeads{"Conv", "ConvTranspose",     "Gemm", "MatMul", "Add",
                                                 "Mul",  "BatchNormalization"};
constexpr std::array<std::string_view, 9> kActivations{"Relu", "LeakyRelu", "PRelu",       "Clip", "Sigmoid",
                                                       "Tanh", "HardSwish", "HardSigmoid", "Elu"};
constexpr std::array<std::string_view, 4> kWeighted{"Conv", "ConvTranspose", "Gemm", "MatMul"};

/// Groups nodes one head at a time.
class Grouping {
 public:
  explicit Grouping(const Graph& graph) : graph_(graph), taken_(graph.nodes().size(), false) {}

  std::vector<Unit> run() {
    std::vector<Unit> units;
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
      if (!taken_[n]) units.push_back(make_unit(static_cast<NodeId>(n)));
    }
    return in_schedule_order(std::move(units));
  }

 private:
  Unit make_unit(NodeId main) {
    Unit unit;
    unit.main = main;
    unit.name = graph_.node(main).name;
    unit.op = graph_.node(main).op;
    take(unit, main);
    if (is_one_of(unit.op, kHeads) && !all_inputs_constant(main)) grow(unit);
    fill_interface(unit);
    fill_weight(unit);
    unit.macs = node_macs(graph_, main);
    return unit;
  }

  void take(Unit& unit, NodeId id) {
    unit.nodes.push_back(id);
    taken_[index(id)] = true;
  }

  bool all_inputs_constant(NodeId id) const {
    const Node& node = graph_.node(id);
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [this](TensorId t) { return t == TensorId::kNone || graph_.constant(t) != nullptr; });
  }

  /// The tensor a unit ends in so far.
  TensorId tail(const Unit& unit) const { return first_output(graph_.node(unit.nodes.back())); }

  void grow(Unit& unit) {
    if (unit.op == "MatMul") absorb_bias(unit);
    if (absorb_gated(unit)) return;
    const auto next = only_reader(tail(unit));
    if (!next || !is_one_of(graph_.node(*next).op, kActivations)) return;
    if (graph_.node(*next).input(0) == tail(unit) && other_inputs_constant(*next, tail(unit))) take(unit, *next);
  }

  void absorb_bias(Unit& unit) {
    const auto next = only_reader(tail(unit));
    if (next && graph_.node(*next).op == "Add" && other_inputs_constant(*next, tail(unit))) take(unit, *next);
  }

  /// x * Sigmoid(x) and x * HardSigmoid(x), spelled as two nodes.
  bool absorb_gated(Unit& unit) {
    const TensorId x = tail(unit);
    if (x == TensorId::kNone) return false;
    const auto readers = graph_.consumers(x);
    if (readers.size() != 2 || graph_.is_output(x)) return false;
    for (std::size_t i = 0; i < 2; ++i) {
      const NodeId gate = readers[i];
      const NodeId product = readers[1 - i];
      const std::string& op = graph_.node(gate).op;
      if ((op != "Sigmoid" && op != "HardSigmoid") || graph_.node(product).op != "Mul") continue;
      const TensorId gated = graph_.node(gate).outputs.front();
      const auto reader = only_reader(gated);
      if (!reader || *reader != product || taken_[index(gate)] || taken_[index(product)]) continue;
      take(unit, gate);
      take(unit, product);
      return true;
    }
    return false;
  }

  /// The single node that sees a tensor, if it is free and the tensor is no network output.
  std::optional<NodeId> only_reader(TensorId id) const {
    if (id == TensorId::kNone) return std::nullopt;
    const auto readers = graph_.consumers(id);
    if (readers.size() != 1 || graph_.is_output(id) || taken_[index(readers[0])]) return std::nullopt;
    return readers[0];
  }

  bool other_inputs_constant(NodeId id, TensorId data) const {
    const Node& node = graph_.node(id);
    return std::count(node.inputs.begin(), node.inputs.end(), data) == 1 &&
           std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](TensorId t) { return t == data || t == TensorId::kNone || graph_.constant(t) != nullptr; });
  }

  void fill_interface(Unit& unit) const {
    const std::set<NodeId> inside(unit.nodes.begin(), unit.nodes.end());
    std::set<TensorId> made;
    for (const NodeId id : unit.nodes) {
      for (const TensorId input : graph_.node(id).inputs) {
        const bool known = input == TensorId::kNone || graph_.constant(input) != nullptr || made.contains(input);
        if (!known && std::find(unit.inputs.begin(), unit.inputs.end(), input) == unit.inputs.end()) {
          unit.inputs.push_back(input);
        }
      }
      for (const TensorId output : graph_.node(id).outputs) {
        if (output == TensorId::kNone) continue;
        made.insert(output);
        const auto readers = graph_.consumers(output);
        const bool seen_outside =
            graph_.is_output(output) ||
            std::any_of(readers.begin(), readers.end(), [&](NodeId r) { return !inside.contains(r); });
        if (seen_outside) unit.outputs.push_back(output);
      }
    }
  }

  void fill_weight(Unit& unit) const {
    if (!is_one_of(unit.op, kWeighted)) return;
    const Node& node = graph_.node(unit.main);
    const TensorId weight = node.input(1);
    if (weight == TensorId::kNone) return;
    const Tensor* value = graph_.constant(weight);
    if (value == nullptr || value->dtype() != DType::kFloat32 || value->shape().size() < 2) return;
    unit.weight = weight;
    unit.weight_elements = value->elements();
    const int rank = static_cast<int>(value->shape().size());
    if (unit.op == "ConvTranspose") unit.weight_axis = 1;
    if (unit.op == "MatMul") unit.weight_axis = rank - 1;
    if (unit.op == "Gemm") unit.weight_axis = node.integer("transB", 0) != 0 ? 0 : 1;
  }

  /// A unit is scheduled where its last node stands: everything it reads has been made by then.
  std::vector<Unit> in_schedule_order(std::vector<Unit> units) const {
    std::sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) {
      return *std::max_element(a.nodes.begin(), a.nodes.end()) < *std::max_element(b.nodes.begin(), b.nodes.end());
    });
    for (Unit& unit : units) std::sort(unit.nodes.begin(), unit.nodes.end());
    return units;
  }

  const Graph& graph_;
  std::vector<bool> taken_;
};

/// Counts beyond this are given up on: no machine runs them, and products of them would overflow.
constexpr std::int64_t kMostCounted = std::int64_t{1} << 40;

/// Product of the dimensions, or 0 when one is unknown or the product is absurd.
std::int64_t known_elements(const Graph& graph, TensorId id) {
  if (id == TensorId::kNone || !graph.tensor(id).ranked) return 0;
  std::int64_t count = 1;
  for (const std::int64_t dimension : graph.tensor(id).shape) {
    if (dimension <= 0 || count > kMostCounted / dimension) return 0;
    count *= dimension;
  }
  return count;
}

/// a * b, or 0 when it does not fit.
std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? 0 : result;
}

}  // namespace

std::vector<Unit> group_units(const Graph& graph) {
  return Grouping(graph).run();
}

std::int64_t node_macs(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_one_of(node.op, kWeighted)) return 0;
  if (node.input(1) == TensorId::kNone) return 0;
  const Shape& weight = graph.tensor(node.input(1)).shape;
  if (weight.size() < 2) return 0;
  const std::int64_t outputs = known_elements(graph, first_output(node));
  const std::int64_t weights = known_elements(graph, node.input(1));
  if (node.op == "Conv") return product(outputs, weights / std::max<std::int64_t>(weight[0], 1));
  if (node.op == "ConvTranspose") {
    return product(known_elements(graph, node.input(0)), weights / std::max<std::int64_t>(weight[0], 1));
  }
  const bool transposed = node.op == "Gemm" && node.integer("transB", 0) != 0;
  return product(outputs, std::max<std::int64_t>(transposed ? weight.back() : weight[weight.size() - 2], 0));
}

std::optional<TensorId> moved_tensor(const Graph& graph, const Unit& unit) {
  constexpr std::array<std::string_view, 10> kMovers{"MaxPool",   "Reshape", "Flatten", "Transpose",    "Squeeze",
                                                     "Unsqueeze", "Slice",   "Split",   "DepthToSpace", "Identity"};
  if (unit.nodes.size() != 1 || std::find(kMovers.begin(), kMovers.end(), unit.op) == kMovers.end()) {
    return std::nullopt;
  }
  return graph.node(unit.main).inputs[0];
}

float negative_slope(const Graph& graph, const Unit& unit) {
  float slope = 1;
  for (const NodeId id : unit.nodes) {
    if (graph.node(id).op == "LeakyRelu") slope *= graph.node(id).number("alpha", 0.01F);
  }
  return slope;
}

}  // namespace cleave::graph
