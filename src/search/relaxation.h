#pragma once

#include <vector>

#include "search/edge_cut.h"
#include "search/solver.h"

namespace cleave::search {

/// Prices on the two sums that tie everything together; the price of a sum without a limit counts as 0.
struct Multipliers {
  double distortion = 0;    ///< seconds per unit of distortion
  double weight_bytes = 0;  ///< seconds per byte of edge weights
};

/// The problem with its limits on distortion and weights replaced by prices, every unit and tensor taking its own best
/// bits: for fixed multipliers a minimum cut.
///
///     L(lambda, mu) = min_E  latency + lambda (D - D_max) + mu (W - W_max)   <=   latency of every plan
///
/// An activation's distortion is shared evenly among those that may pay for it, and each unit takes the least over the
/// widths of its inputs, so the value is a lower bound and not the Lagrangian itself. A unit that does not even fit
/// into the memory alone is kept off the edge. The activation peak is otherwise left aside.
class Relaxation {
 public:
  Relaxation(const Problem& problem, const Multipliers& multipliers);

  /// The least latency of any plan is at least this; infinite when no set of edge units is possible.
  double bound_s() const { return bound_s_; }
  /// The edge units of the minimum.
  const std::vector<bool>& on_edge() const { return on_edge_; }
  /// The same bound for one set of edge units (down-closed).
  double bound_of(const std::vector<bool>& on_edge) const;

 private:
  double unit_edge_s(std::size_t unit) const;
  double tensor_wire_s(std::size_t tensor) const;
  double pays_s(const std::vector<bool>& on_edge) const;
  void cut();

  const Problem& problem_;
  Multipliers multipliers_;
  double refund_s_ = 0;  ///< lambda D_max + mu W_max
  CutCosts costs_;       ///< with their prices
  double bound_s_ = 0;
  std::vector<bool> on_edge_;
};

/// The best bound over the multipliers, and the edge sets of the minima met on the way, each once.
struct Bound {
  double bound_s = 0;
  Multipliers multipliers;
  std::vector<std::vector<bool>> edge_sets;
};
Bound best_bound(const Problem& problem);

/// A latency that no plan can beat: best_bound, or for single-tensor pricing the sum of every unit's least seconds.
double lower_bound_s(const Problem& problem, Pricing pricing);

/// The same without multipliers, of one minimum cut: for answers that nobody takes for the optimum.
double quick_bound_s(const Problem& problem, Pricing pricing);

}  // namespace cleave::search
