#pragma once

#include <functional>
#include <vector>

#include "graph/graph.h"

namespace cleave::exec {

/// Functions that kernels apply to a value before they store it.
enum class Function { kRelu, kLeakyRelu, kClip, kSigmoid, kTanh, kElu, kHardSwish, kHardSigmoid, kSilu };

struct Activation {
  Function function = Function::kRelu;
  float alpha = 0;  ///< slope, lower bound, ...
  float beta = 0;   ///< upper bound, offset
};

/// What follows a group's main node inside the group.
struct Follower {
  enum class Kind {
    kActivation,  ///< y = f(x)
    kSum,         ///< y = x + addend, same shape
    kBias,        ///< y = x + constant vector along the last axis
    kQuantize,    ///< QuantizeLinear(, Clip): the result is 8-bit codes
    kClipCodes,   ///< after QuantizeLinear: Clip on its codes
    kRounding,    ///< after Cast to float16: Cast back; after Div: Round, Clip, Mul by the divisor
    kShuffle,     ///< after Reshape: Transpose, Reshape that interleave channel groups
  };
  Kind kind = Kind::kActivation;
  std::vector<graph::NodeId> nodes;
  graph::TensorId result = graph::TensorId::kNone;
  Activation activation;                            ///< kActivation
  graph::TensorId addend = graph::TensorId::kNone;  ///< kSum, kBias
};

/// Nodes that may run as one kernel: the main node and its followers, each the only reader of what came before.
struct Group {
  graph::NodeId main{};
  std::vector<Follower> followers;

  const graph::Node& node(const graph::Graph& graph) const { return graph.node(main); }
  graph::TensorId result(const graph::Graph& graph) const {
    return followers.empty() ? graph.node(main).outputs[0] : followers.back().result;
  }
  /// The node after which the group can run.
  graph::NodeId last() const { return followers.empty() ? main : followers.back().nodes.back(); }
};

/// What fusion must know beside the graph.
struct FusionFacts {
  std::function<const Tensor*(graph::TensorId)> constant;  ///< value of a constant, or nullptr
  std::vector<bool> skipped;                               ///< nodes that do not run (folded)
  std::vector<bool> visible;                               ///< tensors that must exist: outputs and taps
};

/// Every node that runs, in groups ordered by their last node. With `fusing` false each node stands alone.
std::vector<Group> form_groups(const graph::Graph& graph, const FusionFacts& facts, bool fusing);

/// The function that a node computes on its first input, if it is one of the above with constant parameters.
std::optional<Activation> activation_of(const graph::Node& node, const FusionFacts& facts);

}  // namespace cleave::exec
