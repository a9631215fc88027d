#pragma once

#include <optional>
#include <vector>

#include "search/solver.h"

namespace cleave::search {

/// A fixed set of edge units, and everything that follows from it alone: what is to be decided, what crosses, which
/// tensors are live when, what the cloud and the download cost. The solvers' view of a cut.
struct EdgePart {
  std::vector<bool> on_edge;
  std::vector<int> units;              ///< edge units, schedule order
  std::vector<int> decided;            ///< tensors with an activation choice, schedule order (network inputs first)
  std::vector<int> crossing;           ///< tensors with a wire choice, schedule order
  std::vector<std::vector<int>> live;  ///< per edge unit: the live tensors that take bytes
  std::vector<bool> is_decided;        ///< per tensor
  std::vector<bool> is_crossing;
  std::vector<bool> wire_charged;        ///< per tensor: its wire bytes are paid
  std::vector<bool> activation_charged;  ///< per tensor: its activation bytes are paid (single-tensor pricing only)
  double cloud_s = 0;
  double link_fixed_s = 0;  ///< round trip, header and download
};

/// Empty when the set is no answer: not down-closed, a unit on a side where it cannot run, or a tensor without choices
/// that has to be decided or sent.
std::optional<EdgePart> make_edge_part(const Problem& problem, std::vector<bool> on_edge, Pricing pricing);

/// Options by position: per unit the weight, per tensor the activation and wire option; -1 where there is none.
struct Choice {
  std::vector<int> weight;
  std::vector<int> activation;
  std::vector<int> wire;
};

/// Every option the widest (`narrowest` false) or the narrowest one.
Choice uniform_choice(const Problem& problem, const EdgePart& part, bool narrowest);

/// What the choice costs, recomputed from scratch. Cost O(units + live tensors).
Evaluation evaluate(const Problem& problem, const EdgePart& part, const Choice& choice);

/// Seconds of an edge unit under a choice.
double edge_unit_seconds(const Problem& problem, int unit, const Choice& choice);
/// Bytes of a live tensor under a choice.
std::int64_t live_tensor_bytes(const Problem& problem, int tensor, const Choice& choice);

/// Bytes exactly, distortion up to a relative 1e-12.
bool within_limits(const Limits& limits, const Evaluation& evaluation);

Decision to_decision(const Problem& problem, const EdgePart& part, const Choice& choice);

/// The inverse, for a decision with these edge units.
Choice to_choice(const Problem& problem, const EdgePart& part, const Decision& decision);

/// A feasible or optimal answer: gap = (latency - bound) / latency, 0 when the latency is 0.
Outcome make_outcome(const std::string& solver, Status status, Decision decision, const Evaluation& evaluation,
                     double lower_bound_s);

}  // namespace cleave::search
