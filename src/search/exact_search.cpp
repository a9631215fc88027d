#include "search/exact_search.h"

#include <algorithm>
#include <cmath>

#include "search/exact_labels.h"
#include "search/item.h"

namespace cleave::search::exact {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTie = 1e-12;  ///< relative; the contract's

/// What the answers in the cheapest mixture disagree about; nothing when both are -1.
struct Dispute {
  int unit = -1;  ///< whose side
  int wire = -1;  ///< a tensor's: whether its option is at most `option`
  int option = 0;
};

/// A part of the answers that is still to be settled.
struct OpenPart {
  double above = 0;  ///< activation peaks above it, where weights and activations share a limit
  Region region{};
  double bound = 0;  ///< of the goal
  Prices prices{};
  Dispute dispute{};
};

double or_infinity(const std::optional<std::int64_t>& limit) {
  return limit ? static_cast<double>(*limit) : kInfinity;
}

class Search {
 public:
  Search(const Problem& problem, Goal goal, const Limits& limits, const SolveOptions& options, bool ties)
      : problem_(problem),
        goal_(goal),
        limits_(that_bind(problem, limits)),
        options_(options),
        ties_(ties),
        graph_(problem, {options.pricing, limits_.activation_bytes || limits_.edge_memory_bytes, goal,
                         std::min(GraphOptions::kMostSteps, options.max_decisions)}),
        most_seconds_(exact::most_seconds(graph_)) {}

  SearchResult run() {
    result_.placeable_units = graph_.placeable_units();
    result_.has_path = priced_futures(graph_, {}, {}).to_end[0] < kInfinity;
    result_.bound = kInfinity;
    if (!result_.has_path) return std::move(result_);
    open({0, whole()});
    result_.prices = parts_.empty() ? Prices{} : parts_.front().prices;
    while (!parts_.empty() && parts_.front().bound < good_enough() && !options_.stop.stop_requested()) settle_lowest();
    for (const OpenPart& part : parts_) result_.bound = std::min(result_.bound, part.bound);
    if (result_.best) result_.bound = std::min(result_.bound, result_.best->value);
    if (ties_ && proved()) take_first_of_ties();
    return std::move(result_);
  }

 private:
  bool proved() const {
    return result_.best && result_.best->value - result_.bound <= options_.gap * result_.best->value;
  }
  double best_value() const { return result_.best ? result_.best->value : kInfinity; }
  /// Answers from here on do not matter.
  double good_enough() const { return best_value() * (1 - options_.gap); }

  Region whole() const {
    const double memory = or_infinity(limits_.edge_memory_bytes);
    return {limits_.distortion ? *limits_.distortion : kInfinity, std::min(or_infinity(limits_.weight_bytes), memory),
            std::min(or_infinity(limits_.activation_bytes), memory)};
  }

  /// Bounds what the part holds, and enters it where its bound belongs.
  void open(OpenPart part) {
    const Dual dual = maximise_dual(graph_, part.region, options_.stop);
    if (dual.bound == kInfinity) return;
    for (const Dual::Minimum& minimum : dual.minima) keep(minimum.path);
    part.bound = std::max(part.bound, dual.bound);
    part.prices = dual.prices;
    part.dispute = dispute_of(dual);
    enter(std::move(part));
  }

  /// Between the answers of the cheapest mixture: a side first, else the wire that makes most difference, if it does.
  Dispute dispute_of(const Dual& dual) const {
    constexpr double kNear = 0.1;  // of the gap: what is further off has no part in the maximum
    const double gap = std::isfinite(best_value()) ? best_value() - dual.bound : dual.bound;
    const Dual::Minimum& first = dual.minima.front();
    Dispute wire;
    double most = kNear * gap;
    for (const Dual::Minimum& other : dual.minima) {
      if (other.priced - first.priced > kNear * gap) break;
      if (const int unit = disputed_unit(first.path, other.path); unit >= 0) return {unit, -1, 0};
      dispute_wire(first.path, other.path, most, wire);
    }
    return wire;
  }

  /// The middle one of the units that one answer has on the edge and the other has not; -1: none.
  int disputed_unit(const Path& left, const Path& right) const {
    std::vector<int> units;
    for (std::size_t i = 0; i < left.steps.size(); ++i) {
      const Step &a = graph_.step(left.steps[i]), &b = graph_.step(right.steps[i]);
      if ((a.kind == StepKind::kEdgeUnit) != (b.kind == StepKind::kEdgeUnit)) units.push_back(a.subject);
    }
    return units.empty() ? -1 : units[units.size() / 2];
  }

  void dispute_wire(const Path& left, const Path& right, double& most, Dispute& dispute) const {
    for (std::size_t i = 0; i < left.steps.size(); ++i) {
      const Step &a = graph_.step(left.steps[i]), &b = graph_.step(right.steps[i]);
      if (a.kind != StepKind::kEdgeTensor || b.kind != StepKind::kEdgeTensor || a.menu < 0 || b.menu < 0) continue;
      const Offer& one = graph_.offers(a.menu)[static_cast<std::size_t>(left.offers[i])];
      const Offer& two = graph_.offers(b.menu)[static_cast<std::size_t>(right.offers[i])];
      if (one.option == two.option || std::abs(one.seconds - two.seconds) <= most) continue;
      most = std::abs(one.seconds - two.seconds);
      dispute = {-1, a.subject, std::min(one.option, two.option)};
    }
  }

  static bool higher(const OpenPart& a, const OpenPart& b) { return a.bound > b.bound; }

  void enter(OpenPart part) {
    parts_.push_back(std::move(part));
    std::push_heap(parts_.begin(), parts_.end(), higher);
  }

  OpenPart take_lowest() {
    std::pop_heap(parts_.begin(), parts_.end(), higher);
    OpenPart part = std::move(parts_.back());
    parts_.pop_back();
    return part;
  }

  void settle_lowest() {
    OpenPart part = take_lowest();
    const Futures futures = futures_of(graph_, part.prices, part.region);
    look(futures, part, {best_value(), false, kManyLabels, kBeam});
    if (raise(futures, part, kFewLabels)) return;
    if (part.dispute.unit >= 0) return branch_on_side(part);
    if (part.dispute.wire >= 0) return branch_on_wire(part);
    if (can_split(part)) return split(part);
    if (!raise(futures, part, kManyLabels)) result_.bound = std::min(result_.bound, part.bound);
  }

  void branch_on_side(const OpenPart& part) {
    for (const Side side : {Side::kEdge, Side::kCloud}) {
      OpenPart half = part;
      half.region.sides.resize(problem_.units.size(), Side::kEither);
      item(half.region.sides, part.dispute.unit) = side;
      open(std::move(half));
    }
  }

  void branch_on_wire(const OpenPart& part) {
    OpenPart low = part, high = part;
    low.region.wires.resize(problem_.tensors.size());
    high.region.wires.resize(problem_.tensors.size());
    item(low.region.wires, part.dispute.wire).last = part.dispute.option;
    item(high.region.wires, part.dispute.wire).first = part.dispute.option + 1;
    open(std::move(low));
    open(std::move(high));
  }

  /// Where one limit holds both weights and activations, and the range of peaks is still a large part of it.
  bool can_split(const OpenPart& part) const {
    constexpr double kParts = 256;
    return limits_.edge_memory_bytes &&
           part.region.live_bytes - part.above > 1 + or_infinity(limits_.edge_memory_bytes) / kParts;
  }

  void split(const OpenPart& part) {
    const double middle = std::floor((part.above + part.region.live_bytes) / 2);
    OpenPart low = part, high = part;
    low.region.live_bytes = middle;
    high.above = middle;
    high.region.weight_bytes = std::min(high.region.weight_bytes, or_infinity(limits_.edge_memory_bytes) - middle);
    open(std::move(low));
    open(std::move(high));
  }

  /// Walks under a rising ceiling; part.bound rises with it. True when nothing in the part beats the best answer.
  bool raise(const Futures& futures, OpenPart& part, std::size_t most_labels) {
    const double most = most_seconds_;
    const double gap = std::isfinite(best_value()) ? (best_value() - part.bound) / 64 : 1e-4 * most;
    for (double step = std::max(1e-5 * std::abs(part.bound), gap); part.bound < good_enough(); step *= 4) {
      double ceiling = std::min(part.bound + step, best_value());
      if (ceiling >= most) ceiling = kInfinity;
      if (!look(futures, part, {ceiling, false, most_labels, 0})) return false;
      part.bound = std::min(ceiling, best_value());
      if (ceiling == kInfinity) break;
    }
    return true;
  }

  /// Keeps the best answer that a walk finds; true when the walk was complete.
  bool look(const Futures& futures, const OpenPart& part, WalkOptions walk_options) {
    walk_options.peak_above = static_cast<std::int64_t>(part.above);
    const WalkResult found = walk(graph_, limits_, part.region, futures, walk_options, options_.stop);
    for (const Path& path : found.paths) {
      if (keep(path)) break;  // the others are no better
    }
    return found.complete;
  }

  /// True when the path is an answer within the limits; the best one is kept.
  bool keep(const Path& path) {
    std::optional<Answer> answer = answer_of(problem_, graph_, path, goal_, limits_, options_.pricing);
    if (!answer) return false;
    if (answer->value < best_value()) result_.best = std::move(answer);
    return true;
  }

  void take_first_of_ties() {
    const Region region = whole();
    const double most = result_.best->value * (1 + kTie);
    const WalkOptions walk_options{most, true, kTiedLabels, 0};
    const Futures futures = futures_of(graph_, result_.prices, region);
    for (const Path& path : walk(graph_, limits_, region, futures, walk_options, options_.stop).paths) {
      std::optional<Answer> answer = answer_of(problem_, graph_, path, goal_, limits_, options_.pricing);
      if (!answer || answer->value > most) continue;
      result_.best = std::move(answer);
      return;
    }
  }

  static constexpr std::size_t kBeam = 16, kFewLabels = 50'000, kManyLabels = 4'000'000, kTiedLabels = 20'000;

  const Problem& problem_;
  Goal goal_;
  Limits limits_;
  const SolveOptions& options_;
  bool ties_;
  StageGraph graph_;
  double most_seconds_;
  std::vector<OpenPart> parts_;  ///< a heap, the lowest bound first
  SearchResult result_;
};

}  // namespace

SearchResult search(const Problem& problem, Goal goal, const Limits& limits, const SolveOptions& options, bool ties) {
  return Search(problem, goal, limits, options, ties).run();
}

}  // namespace cleave::search::exact
