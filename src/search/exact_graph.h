#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "search/exact_menus.h"

namespace cleave::search::exact {

enum class StepKind : std::uint8_t {
  kCloudUnit,
  kEdgeUnit,     ///< the menu is the unit's weights
  kCloudTensor,  ///< nothing is decided
  kEdgeTensor,   ///< `activation`, and the menu is the wire when the tensor is sent
};

/// One decision: where a unit runs, or what becomes of a tensor that lives on the edge. What `menu` leaves open is the
/// same for all that follows.
struct Step {
  int to;
  int subject;          ///< unit or tensor
  int menu = -1;        ///< -1: nothing is open
  int activation = -1;  ///< option; -1: not decided
  StepKind kind;
  double seconds = 0;
  double distortion = 0;
  std::int64_t held_bytes = 0;   ///< storage until the edge part ends
  std::int64_t live_bytes = -1;  ///< beside what is held, while the edge unit runs that this step completes; -1: none
  std::int64_t least_live_bytes = -1;  ///< the same with what this step itself holds at least
};

/// There are more than most_steps.
struct TooWide {};

struct GraphOptions {
  Pricing pricing = Pricing::kExact;
  bool track_memory = false;   ///< live and held bytes; what is stored then tells states apart
  Goal goal = Goal::kLatency;  ///< what `seconds` mean: kLatency, kWeightBytes or kDistortion
  std::int64_t most_steps = kMostSteps;

  static constexpr std::int64_t kMostSteps = 5'000'000;
};

/// Every answer as a path. A stage is one decision, in schedule order: the network inputs, then for each unit its side
/// and its outputs. A node is what the decisions so far mean for the later ones:
///
///   per unit with a known input    the sides it may still take, and the widest of its inputs so far
///   per tensor with later uses     which side's use it still owes (it was promised to both); with memory, its bits
///   once                           something was sent; the result was downloaded
///
/// Two sets of decisions with the same node have the same futures, so a path through the nodes loses nothing but the
/// sums. Sides are promised when a tensor is made (all its consumers on the edge, all on the cloud, or some on each)
/// and kept by its consumers. Source of the idea: bucket elimination along the schedule; Dechter, Artificial
/// Intelligence 113 (1999).
class StageGraph {
 public:
  /// Throws TooWide.
  StageGraph(const Problem& problem, const GraphOptions& options);

  int node_count() const { return static_cast<int>(first_step_.size()) - 1; }
  /// Nodes are numbered stage after stage; the first is the source.
  std::span<const Step> steps_of(int node) const {
    const auto n = static_cast<std::size_t>(node);
    return std::span(steps_).subspan(first_step_[n], first_step_[n + 1] - first_step_[n]);
  }
  std::size_t first_step_of(int node) const { return first_step_[static_cast<std::size_t>(node)]; }
  const Step& step(std::size_t index) const { return steps_[index]; }
  std::size_t step_count() const { return steps_.size(); }
  std::span<const Offer> offers(int menu) const { return menus_[static_cast<std::size_t>(menu)].offers; }
  std::size_t menu_count() const { return menus_.size(); }
  /// The tensor whose wire a menu offers; -1 for a menu of weights.
  int wire_of(int menu) const { return menus_[static_cast<std::size_t>(menu)].wire; }
  /// Nodes in which nothing is left to decide: from this one to the last.
  int first_final() const { return first_final_; }
  /// First nodes of the stages, and node_count() at the end.
  const std::vector<int>& stages() const { return stages_; }
  /// Units that can be placed when the sides alone are looked at; less than all: some unit finds no side.
  int placeable_units() const { return placeable_units_; }

 private:
  friend class StageGraphBuilder;
  std::vector<Step> steps_;
  std::vector<std::size_t> first_step_;
  std::vector<Menu> menus_;
  std::vector<int> stages_;
  int first_final_ = 0;
  int placeable_units_ = 0;
};

}  // namespace cleave::search::exact
