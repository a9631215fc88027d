#pragma once

#include <stop_token>
#include <vector>

#include "search/exact_graph.h"

namespace cleave::search::exact {

enum class Side : std::uint8_t { kEither, kEdge, kCloud };

/// Wire options from the first to the last.
struct WireRange {
  int first = 0;
  int last = std::numeric_limits<int>::max();
};

/// Part of the answers: limits on the sums along a path (infinite where there is none), and what is left open.
struct Region {
  double distortion = std::numeric_limits<double>::infinity();
  double weight_bytes = std::numeric_limits<double>::infinity();
  double live_bytes = std::numeric_limits<double>::infinity();  ///< of each edge unit
  std::vector<Side> sides{};                                    ///< per unit; empty: all are open
  std::vector<WireRange> wires{};                               ///< per tensor; empty: all are open

  bool allows(const Step& step) const {
    if (static_cast<double>(step.least_live_bytes) > live_bytes) return false;
    if (sides.empty() || step.kind == StepKind::kEdgeTensor || step.kind == StepKind::kCloudTensor) return true;
    const Side side = sides[static_cast<std::size_t>(step.subject)];
    return side == Side::kEither || (side == Side::kEdge) == (step.kind == StepKind::kEdgeUnit);
  }
  /// wire: the tensor that the offer sends; -1 for weights.
  bool allows(const Offer& offer, int wire) const {
    if (wires.empty() || wire < 0) return true;
    const WireRange& range = wires[static_cast<std::size_t>(wire)];
    return range.first <= offer.option && offer.option <= range.last;
  }
};

/// The chosen steps, and the offer of each (-1: none), from the first stage to the last.
struct Path {
  std::vector<std::size_t> steps;
  std::vector<int> offers;
};

/// What one of each is worth.
struct Prices {
  double seconds = 1;
  double distortion = 0;
  double weight_bytes = 0;
};

/// Least priced sum from every node to the end.
struct PricedFutures {
  Prices prices;
  std::vector<double> to_end;  ///< per node; infinite where no end can be reached
};

/// Cost: one visit per step.
PricedFutures priced_futures(const StageGraph& graph, const Prices& prices, const Region& region);
/// The path that attains to_end of the source. Requires a finite one.
Path cheapest_path(const StageGraph& graph, const PricedFutures& futures, const Region& region);

/// Sums along a path.
struct Sums {
  double seconds = 0;
  double distortion = 0;
  double weight_bytes = 0;
};
Sums sums_of(const StageGraph& graph, const Path& path);

/// The Lagrangian dual, maximised:
///
///     L(lambda, mu) = min over paths [ seconds + lambda (D - D_max) + mu (W - W_max) ]  <=  seconds of every plan
///
/// by cutting planes (Kelley, J. SIAM 8, 1960): every minimum is a plane that lies above L, and the next prices are
/// where the planes seen so far are highest.
struct Dual {
  double bound = 0;  ///< infinite: no path, or none keeps a limit alone
  Prices prices;     ///< of the maximum
  struct Minimum {
    Path path;
    double priced = 0;  ///< its priced sum at the maximum's prices, at least the bound
  };
  std::vector<Minimum> minima;  ///< met on the way, by their priced sum
};
Dual maximise_dual(const StageGraph& graph, const Region& region, const std::stop_token& stop);

/// lambda D_max + mu W_max.
double refund(const Prices& prices, const Region& region);

}  // namespace cleave::search::exact
