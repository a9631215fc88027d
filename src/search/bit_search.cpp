#include "search/bit_search.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "search/item.h"

namespace cleave::search {

namespace {

enum class Kind { kWeight, kActivation, kWire };

struct Variable {
  Kind kind;
  int position;  ///< unit or tensor
};

template <typename Option, typename Value>
auto least_of(const std::vector<Option>& options, Value value) {
  auto least = value(options.front());
  for (const Option& option : options) least = std::min(least, value(option));
  return least;
}

/// Sums over what is decided plus the least of what is not: never above the truth, but for rounding.
struct Bounds {
  double edge_s = 0;
  double charged_bytes = 0;
  std::int64_t weight_bytes = 0;
  double distortion = 0;
  std::int64_t peak_bytes = 0;
};

/// What a step changes besides the choice itself.
struct Saved {
  Bounds bounds;
  std::vector<std::int64_t> live_bytes;
  std::vector<double> unit_s;
};

}  // namespace

double goal_value(Goal goal, const Evaluation& e) {
  switch (goal) {
    case Goal::kLatency:
      return e.latency_s;
    case Goal::kWeightBytes:
      return static_cast<double>(e.weight_bytes);
    case Goal::kActivationBytes:
      return static_cast<double>(e.activation_bytes);
    case Goal::kEdgeMemory:
      return static_cast<double>(e.weight_bytes + e.activation_bytes);
    case Goal::kDistortion:
      return e.distortion;
  }
  return 0;
}

double choice_count(const Problem& problem, const EdgePart& part) {
  double count = 1;
  for (const int u : part.units) count *= static_cast<double>(item(problem.units, u).weight.size());
  for (const int t : part.decided) count *= static_cast<double>(item(problem.tensors, t).activation.size());
  for (const int t : part.crossing) count *= static_cast<double>(item(problem.tensors, t).wire.size());
  return count;
}

struct BitSearch::State {
  State(const Problem& p, const EdgePart& e, const Limits& l, std::function<bool()> s)
      : problem(p), part(e), limits(l), stop(std::move(s)) {
    live_in.resize(problem.tensors.size());
    for (std::size_t k = 0; k < part.live.size(); ++k) {
      for (const int t : part.live[k]) item(live_in, t).push_back(k);
    }
  }

  const Problem& problem;
  const EdgePart& part;
  Limits limits;
  std::function<bool()> stop;
  std::vector<std::vector<std::size_t>> live_in;  ///< per tensor: the edge units during which it is live

  std::vector<Variable> variables;
  std::vector<Saved> saved;  ///< per depth, kept to save allocations
  Choice choice;
  std::vector<double> unit_s;            ///< per unit: least seconds under what is decided
  std::vector<std::int64_t> live_bytes;  ///< per edge unit: least live bytes
  Bounds bounds;
  Goal goal = Goal::kLatency;
  double ceiling = 0;
  bool first_only = false;
  bool stopped = false;
  std::uint64_t steps = 0;
  std::optional<Found> found;

  void order_for_bounds() {
    variables.clear();
    for (const int t : part.crossing) variables.push_back({Kind::kWire, t});
    for (const int t : part.decided) variables.push_back({Kind::kActivation, t});
    for (const int u : part.units) variables.push_back({Kind::kWeight, u});
  }
  void order_for_ties() {
    variables.clear();
    for (const int u : part.units) variables.push_back({Kind::kWeight, u});
    for (const int t : part.decided) variables.push_back({Kind::kActivation, t});
    for (const int t : part.crossing) variables.push_back({Kind::kWire, t});
  }

  std::size_t option_count(const Variable& v) const {
    if (v.kind == Kind::kWeight) return item(problem.units, v.position).weight.size();
    const ProblemTensor& tensor = item(problem.tensors, v.position);
    return v.kind == Kind::kActivation ? tensor.activation.size() : tensor.wire.size();
  }

  /// Least seconds of a unit: over its undecided weights, and over the columns that its inputs may still reach.
  double least_unit_s(int unit) const {
    const ProblemUnit& u = item(problem.units, unit);
    int from = 0;
    bool exact = true;
    for (const int t : u.inputs) {
      const int chosen = item(choice.activation, t);
      const auto& options = item(problem.tensors, t).activation;
      from = std::max(from, item(options, std::max(chosen, 0)).bits);
      exact = exact && chosen >= 0;
    }
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t o = 0; o < u.weight.size(); ++o) {
      const int chosen = item(choice.weight, unit);
      if (chosen >= 0 && static_cast<std::size_t>(chosen) != o) continue;
      const auto& row = u.edge_s.at(u.weight[o].bits);
      auto cell = row.lower_bound(from);
      const auto end = exact ? std::next(cell) : row.end();
      for (; cell != end; ++cell) least = std::min(least, cell->second);
    }
    return least;
  }

  static std::int64_t packed(std::int64_t elements, int bits) { return (elements * bits + 7) / 8; }

  void start() {
    choice = {std::vector<int>(problem.units.size(), -1), std::vector<int>(problem.tensors.size(), -1),
              std::vector<int>(problem.tensors.size(), -1)};
    bounds = {};
    unit_s.assign(problem.units.size(), 0);
    live_bytes.assign(part.units.size(), 0);
    for (const int u : part.units) start_unit(u);
    for (const int t : part.decided) start_decided(t);
    for (const int t : part.crossing) start_crossing(t);
    for (const std::int64_t bytes : live_bytes) bounds.peak_bytes = std::max(bounds.peak_bytes, bytes);
  }
  void start_unit(int u) {
    const auto& options = item(problem.units, u).weight;
    item(unit_s, u) = least_unit_s(u);
    bounds.edge_s += item(unit_s, u);
    bounds.weight_bytes += least_of(options, [](const WeightOption& o) { return o.bytes; });
    bounds.distortion += least_of(options, [](const WeightOption& o) { return o.distortion; });
  }
  void start_decided(int t) {
    const ProblemTensor& tensor = item(problem.tensors, t);
    bounds.distortion += least_of(tensor.activation, [](const ActivationOption& o) { return o.distortion; });
    const std::int64_t bytes = packed(tensor.elements, tensor.activation.front().bits);
    for (const std::size_t k : item(live_in, t)) live_bytes[k] += bytes;
    if (item(part.activation_charged, t)) bounds.charged_bytes += static_cast<double>(bytes);
  }
  void start_crossing(int t) {
    const ProblemTensor& tensor = item(problem.tensors, t);
    bounds.distortion += least_of(tensor.wire, [](const WireOption& o) { return o.distortion; });
    if (!item(part.is_decided, t)) {
      for (const std::size_t k : item(live_in, t)) live_bytes[k] += packed(tensor.elements, tensor.wire.front().bits);
    }
    if (item(part.wire_charged, t)) {
      bounds.charged_bytes += static_cast<double>(least_of(tensor.wire, [](const WireOption& o) { return o.bytes; }));
    }
  }

  void set_unit_s(int u) {
    const double seconds = least_unit_s(u);
    bounds.edge_s += seconds - item(unit_s, u);
    item(unit_s, u) = seconds;
  }
  void grow_live(int t, std::int64_t bytes) {
    for (const std::size_t k : item(live_in, t)) {
      live_bytes[k] += bytes;
      bounds.peak_bytes = std::max(bounds.peak_bytes, live_bytes[k]);
    }
  }

  void take_weight(int u, int o) {
    const auto& options = item(problem.units, u).weight;
    item(choice.weight, u) = o;
    bounds.weight_bytes += item(options, o).bytes - least_of(options, [](const WeightOption& w) { return w.bytes; });
    bounds.distortion +=
        item(options, o).distortion - least_of(options, [](const WeightOption& w) { return w.distortion; });
    set_unit_s(u);
  }
  void take_activation(int t, int o) {
    const ProblemTensor& tensor = item(problem.tensors, t);
    const auto& options = tensor.activation;
    item(choice.activation, t) = o;
    bounds.distortion +=
        item(options, o).distortion - least_of(options, [](const ActivationOption& a) { return a.distortion; });
    const std::int64_t more = packed(tensor.elements, item(options, o).bits) - packed(tensor.elements, options[0].bits);
    grow_live(t, more);
    if (item(part.activation_charged, t)) bounds.charged_bytes += static_cast<double>(more);
    for (const int u : tensor.consumers) {
      if (item(part.on_edge, u)) set_unit_s(u);
    }
  }
  void take_wire(int t, int o) {
    const ProblemTensor& tensor = item(problem.tensors, t);
    const auto& options = tensor.wire;
    item(choice.wire, t) = o;
    bounds.distortion +=
        item(options, o).distortion - least_of(options, [](const WireOption& w) { return w.distortion; });
    if (item(part.wire_charged, t)) {
      bounds.charged_bytes +=
          static_cast<double>(item(options, o).bytes - least_of(options, [](const WireOption& w) { return w.bytes; }));
    }
    if (!item(part.is_decided, t)) {
      grow_live(t, packed(tensor.elements, item(options, o).bits) - packed(tensor.elements, options[0].bits));
    }
  }

  void take(const Variable& v, int option) {
    if (v.kind == Kind::kWeight) return take_weight(v.position, option);
    if (v.kind == Kind::kActivation) return take_activation(v.position, option);
    take_wire(v.position, option);
  }

  /// Puts back what take() changed, from saved sums, so that rounding does not pile up.
  void undo(const Variable& v, const Saved& before) {
    auto& options = v.kind == Kind::kWeight       ? choice.weight
                    : v.kind == Kind::kActivation ? choice.activation
                                                  : choice.wire;
    item(options, v.position) = -1;
    bounds = before.bounds;
    live_bytes = before.live_bytes;
    unit_s = before.unit_s;
  }

  /// The bounds as if they were a cost, lowered by more than rounding can have raised them.
  Evaluation least_evaluation() const {
    constexpr double kRounding = 1 - 1e-13;
    Evaluation e;
    e.latency_s = kRounding *
                  (bounds.edge_s + part.cloud_s + part.link_fixed_s + bounds.charged_bytes / problem.link.bytes_per_s);
    e.weight_bytes = bounds.weight_bytes;
    e.activation_bytes = bounds.peak_bytes;
    e.distortion = kRounding * bounds.distortion;
    return e;
  }

  bool hopeless() const {
    constexpr double kNoGain = 1 - 2e-13;  // less than that below the ceiling is rounding, not a gain
    const Evaluation least = least_evaluation();
    const double value = goal_value(goal, least);
    const bool too_much = first_only ? value > ceiling : value >= kNoGain * ceiling;
    return too_much || !within_limits(limits, least);
  }

  void leaf() {
    const Evaluation evaluation = evaluate(problem, part, choice);
    const double value = goal_value(goal, evaluation);
    const bool better = first_only ? value <= ceiling : value < ceiling;
    if (!better || !within_limits(limits, evaluation)) return;
    found = Found{value, choice, evaluation};
    if (!first_only) ceiling = value;
  }

  bool done() {
    if ((++steps & 1023U) == 0 && stop()) stopped = true;
    return stopped || (first_only && found);
  }

  void search(std::size_t depth) {
    if (done() || hopeless()) return;
    if (depth == variables.size()) return leaf();
    const Variable v = variables[depth];
    saved[depth].bounds = bounds;
    saved[depth].live_bytes = live_bytes;
    saved[depth].unit_s = unit_s;
    const auto count = static_cast<int>(option_count(v));
    for (int o = 0; o < count; ++o) {
      take(v, o);
      search(depth + 1);
      undo(v, saved[depth]);
      if (stopped || (first_only && found)) return;
    }
  }

  std::optional<Found> run(Goal wanted, double limit, bool first) {
    goal = wanted;
    ceiling = limit;
    first_only = first;
    found.reset();
    start();
    saved.resize(variables.size());
    search(0);
    return std::move(found);
  }
};

BitSearch::BitSearch(const Problem& problem, const EdgePart& part, const Limits& limits,
                     const std::function<bool()>& stop)
    : state_(std::make_unique<State>(problem, part, limits, stop)) {}

BitSearch::~BitSearch() = default;

std::optional<BitSearch::Found> BitSearch::least(Goal goal, double ceiling) {
  state_->order_for_bounds();
  return state_->run(goal, ceiling, false);
}

std::optional<BitSearch::Found> BitSearch::first_within(double ceiling) {
  state_->order_for_ties();
  return state_->run(Goal::kLatency, ceiling, true);
}

}  // namespace cleave::search
