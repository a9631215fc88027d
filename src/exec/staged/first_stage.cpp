#include "exec/staged/first_stage.h"

#include <algorithm>

#include "exec/staged/dynamic_node.h"
#include "exec/staged/staged_session.h"
#include "graph/builder.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::TensorId;

enum class Part { kGiven, kHead, kDynamic, kTail };

class Partition {
 public:
  explicit Partition(const Graph& graph) : graph_(graph), part_(graph.nodes().size(), Part::kTail) {
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) part_[n] = choose(graph.nodes()[n]);
  }

  FirstStage run() const {
    FirstStage stage;
    stage.head = extracted(Part::kHead);
    stage.tail = extracted(Part::kTail);
    for (std::size_t n = 0; n < part_.size(); ++n) {
      if (part_[n] == Part::kDynamic) stage.dynamic.push_back(static_cast<NodeId>(n));
    }
    return stage;
  }

 private:
  Part part_of(TensorId id) const {
    const auto producer = graph_.producer(id);
    return producer ? part_[graph::index(*producer)] : Part::kGiven;
  }

  Part choose(const Node& node) const {
    for (const TensorId id : node.inputs) {
      if (id == TensorId::kNone) continue;
      const Part part = part_of(id);
      if (part == Part::kDynamic || part == Part::kTail) return Part::kTail;
    }
    const bool shaped = std::all_of(node.outputs.begin(), node.outputs.end(),
                                    [&](TensorId id) { return id == TensorId::kNone || is_shaped(graph_.tensor(id)); });
    return shaped && !is_always_dynamic(node) ? Part::kHead : Part::kDynamic;
  }

  /// Tensors that a part reads from outside, constants left out.
  std::vector<std::string> reads(Part part) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < graph_.tensor_count(); ++i) {
      const auto id = static_cast<TensorId>(i);
      if (graph_.constant(id) != nullptr || part_of(id) == part) continue;
      const auto readers = graph_.consumers(id);
      const bool read = std::any_of(readers.begin(), readers.end(),
                                    [&](NodeId reader) { return part_[graph::index(reader)] == part; });
      if (read) names.push_back(graph_.tensor(id).name);
    }
    return names;
  }

  /// Tensors of a part that others read or that are results of the network.
  std::vector<std::string> makes(Part part) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < graph_.tensor_count(); ++i) {
      const auto id = static_cast<TensorId>(i);
      if (part_of(id) != part) continue;
      const auto readers = graph_.consumers(id);
      const bool read = std::any_of(readers.begin(), readers.end(),
                                    [&](NodeId reader) { return part_[graph::index(reader)] != part; });
      if (read || graph_.is_output(id)) names.push_back(graph_.tensor(id).name);
    }
    return names;
  }

  std::optional<Graph> extracted(Part part) const {
    const std::vector<std::string> outputs = makes(part);
    if (outputs.empty()) return std::nullopt;
    return graph::extract(graph_, reads(part), outputs);
  }

  const Graph& graph_;
  std::vector<Part> part_;
};

}  // namespace

FirstStage take_first_stage(const Graph& graph) {
  return Partition(graph).run();
}

}  // namespace cleave::exec
