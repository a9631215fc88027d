#include "search/plan.h"

#include <algorithm>

namespace cleave::search {

namespace {

constexpr double kMs = 1000;

int bits_of(const std::map<int, int>& bits, std::size_t position) {
  const auto found = bits.find(static_cast<int>(position));
  return found == bits.end() ? 0 : found->second;
}

int widest_input(const Problem& problem, const ProblemUnit& unit, const Decision& decision) {
  int widest = 0;
  for (const int t : unit.inputs)
    widest = std::max(widest, bits_of(decision.activation_bits, static_cast<std::size_t>(t)));
  return problem.tensors.empty() ? 0 : widest;
}

/// Edge seconds at the chosen bits; at the widest row and column for a unit on the cloud.
double edge_seconds(const ProblemUnit& unit, const PlanUnit& plan) {
  if (unit.edge_s.empty()) return 0;
  const auto& row = plan.on_edge ? unit.edge_s.at(plan.weight_bits) : unit.edge_s.rbegin()->second;
  if (row.empty()) return 0;
  if (!plan.on_edge) return row.rbegin()->second;
  return unit.inputs.empty() ? row.begin()->second : row.at(plan.activation_bits);
}

PlanUnit plan_unit(const Problem& problem, const Decision& decision, std::size_t u) {
  const ProblemUnit& unit = problem.units[u];
  PlanUnit plan;
  plan.on_edge = decision.on_edge[u];
  if (plan.on_edge) {
    plan.weight_bits = bits_of(decision.weight_bits, u);
    plan.activation_bits = widest_input(problem, unit, decision);
  }
  plan.edge_ms = kMs * edge_seconds(unit, plan);
  plan.cloud_ms = kMs * unit.cloud_s.value_or(0);
  return plan;
}

PlanCrossing plan_crossing(const ProblemTensor& tensor, int bits) {
  const auto option =
      std::find_if(tensor.wire.begin(), tensor.wire.end(), [bits](const WireOption& o) { return o.bits == bits; });
  return {tensor.name, bits, tensor.elements, option->bytes};
}

void describe_numbers(Plan& plan, const Outcome& outcome) {
  const Evaluation& e = outcome.evaluation;
  plan.latency_ms = kMs * e.latency_s;
  plan.lower_bound_ms = kMs * outcome.lower_bound_s;
  plan.gap_ratio = outcome.gap_ratio;
  plan.edge_ms = kMs * e.edge_s;
  plan.link_ms = kMs * e.link_s;
  plan.cloud_ms = kMs * e.cloud_s;
  plan.weight_bytes = e.weight_bytes;
  plan.activation_bytes = e.activation_bytes;
  plan.distortion = e.distortion;
}

void describe_decision(Plan& plan, const Problem& problem, const Decision& decision) {
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    plan.units[problem.units[u].name] = plan_unit(problem, decision, u);
    if (decision.on_edge[u]) plan.edge_units.push_back(problem.units[u].name);
  }
  for (const auto& [t, bits] : decision.activation_bits) {
    plan.activation_bits[problem.tensors[static_cast<std::size_t>(t)].name] = bits;
  }
  std::int64_t bytes = 0;
  for (const auto& [t, bits] : decision.wire_bits) {
    plan.crossing.push_back(plan_crossing(problem.tensors[static_cast<std::size_t>(t)], bits));
    bytes += plan.crossing.back().bytes;
  }
  plan.wire_bytes_mean = static_cast<double>(bytes);
  plan.wire_bytes_p95 = static_cast<double>(bytes);
}

const char* result_at_name(ResultAt result_at) {
  switch (result_at) {
    case ResultAt::kEdge:
      return "edge";
    case ResultAt::kCloud:
      return "cloud";
    case ResultAt::kAnywhere:
      break;
  }
  return "anywhere";
}

}  // namespace

Plan make_plan(const Problem& problem, const Outcome& outcome) {
  Plan plan;
  plan.status = outcome.status;
  plan.solver = outcome.solver;
  plan.result_at = result_at_name(problem.result_at);
  plan.infeasibility = outcome.infeasibility;
  if (outcome.status != Status::kOptimal && outcome.status != Status::kFeasible) return plan;
  describe_numbers(plan, outcome);
  describe_decision(plan, problem, outcome.decision);
  return plan;
}

}  // namespace cleave::search
