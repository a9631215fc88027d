#include "search/infeasible.h"

#include <limits>
namespace cleave::search {

namespace {

struct LimitRow {
  const char* name;
  Goal goal;
};
constexpr LimitRow kLimitRows[] = {{"edge_memory_bytes", Goal::kEdgeMemory},
                                   {"weight_bytes", Goal::kWeightBytes},
                                   {"activation_bytes", Goal::kActivationBytes},
                                   {"distortion", Goal::kDistortion}};

std::optional<double> allowed_by(const Limits& limits, Goal goal) {
  const auto number = [](const auto& limit) {
    return limit ? std::optional<double>(static_cast<double>(*limit)) : std::nullopt;
  };
  switch (goal) {
    case Goal::kEdgeMemory:
      return number(limits.edge_memory_bytes);
    case Goal::kWeightBytes:
      return number(limits.weight_bytes);
    case Goal::kActivationBytes:
      return number(limits.activation_bytes);
    case Goal::kDistortion:
      return limits.distortion;
    case Goal::kLatency:
      break;
  }
  return std::nullopt;
}

void drop(Limits& limits, Goal goal) {
  if (goal == Goal::kEdgeMemory) limits.edge_memory_bytes.reset();
  if (goal == Goal::kWeightBytes) limits.weight_bytes.reset();
  if (goal == Goal::kActivationBytes) limits.activation_bytes.reset();
  if (goal == Goal::kDistortion) limits.distortion.reset();
}

bool meets(Goal goal, double needed, double allowed) {
  return needed <= (goal == Goal::kDistortion ? allowed * (1 + 1e-12) : allowed);
}

double excess(const Infeasibility& row) {
  return row.allowed > 0 ? row.needed / row.allowed : std::numeric_limits<double>::infinity();
}

std::optional<Infeasibility> hopeless_alone(const Limits& limits, const LeastNeeded& least) {
  std::optional<Infeasibility> worst;
  for (const LimitRow& row : kLimitRows) {
    const auto allowed = allowed_by(limits, row.goal);
    if (!allowed) continue;
    const auto needed = least(row.goal, {});
    if (!needed || meets(row.goal, *needed, *allowed)) continue;
    const Infeasibility found{row.name, *needed, *allowed};
    if (!worst || excess(found) > excess(*worst)) worst = found;
  }
  return worst;
}

std::optional<Infeasibility> cheapest_loosening(const Limits& limits, const LeastNeeded& least) {
  std::optional<Infeasibility> best;
  for (const LimitRow& row : kLimitRows) {
    const auto allowed = allowed_by(limits, row.goal);
    if (!allowed) continue;
    Limits kept = limits;
    drop(kept, row.goal);
    const auto needed = least(row.goal, kept);
    if (!needed || meets(row.goal, *needed, *allowed)) continue;
    const Infeasibility found{row.name, *needed, *allowed};
    if (!best || excess(found) < excess(*best)) best = found;
  }
  return best;
}

}  // namespace

std::optional<double> least_of(const std::vector<Evaluation>& found, Goal goal, const Limits& kept) {
  std::optional<double> least;
  for (const Evaluation& evaluation : found) {
    if (!within_limits(kept, evaluation)) continue;
    const double value = goal_value(goal, evaluation);
    if (!least || value < *least) least = value;
  }
  return least;
}

std::optional<Infeasibility> tightest_limit(const Limits& limits, const LeastNeeded& least) {
  if (const auto found = hopeless_alone(limits, least)) return found;
  if (const auto found = cheapest_loosening(limits, least)) return found;
  for (std::size_t n = 0; n < std::size(kLimitRows); ++n) {
    const auto allowed = allowed_by(limits, kLimitRows[n].goal);
    if (!allowed) continue;
    Limits before = limits;
    for (std::size_t later = n; later < std::size(kLimitRows); ++later) drop(before, kLimitRows[later].goal);
    const auto needed = least(kLimitRows[n].goal, before);
    if (needed && !meets(kLimitRows[n].goal, *needed, *allowed)) {
      return Infeasibility{kLimitRows[n].name, *needed, *allowed};
    }
  }
  return std::nullopt;
}

}  // namespace cleave::search
