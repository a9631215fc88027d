#include "search/solver.h"

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"
#include "search/solvers.h"
#include "search/tune_bits.h"
#include "search/verify_plan.h"

namespace cleave::search {

namespace {

constexpr SolverRow kSolvers[] = {
    {"exhaustive", "every answer, in the contract's order of ties; small problems only (the oracle)", solve_exhaustive},
    {"exact", "the optimum and its proof, on real networks too; with a time limit the best so far and its gap",
     solve_exact},
    {"lagrange",
     "minimum cuts under Lagrange multipliers, then local moves; seconds on real networks, with a proven bound",
     solve_lagrange},
    {"autosplit", "Auto-Split's Algorithm 1 with every crossing tensor priced", solve_autosplit},
    {"neurosurgeon", "the best prefix of the schedule at full precision", solve_neurosurgeon, SolverKind::kBaseline},
    {"dads", "the minimum cut at full precision, every crossing tensor paid once", solve_dads, SolverKind::kBaseline},
    {"qdmp", "the same cut, found between units that everything passes", solve_qdmp, SolverKind::kBaseline},
    {"qdmp_e", "qdmp's edge units, 16 bits", solve_qdmp_e, SolverKind::kBaseline},
    {"qdmp_e_u4", "qdmp's edge units, 4 bits", solve_qdmp_e_u4, SolverKind::kBaseline},
    {"uniform", "everything on the edge at one width of 2 to 8 bits", solve_uniform, SolverKind::kBaseline},
    {"cloud16", "nothing on the edge, raw 8-bit inputs sent", solve_cloud16, SolverKind::kBaseline},
    {"cloud_only", "nothing on the edge", solve_cloud_only, SolverKind::kBaseline},
    {"edge_only_8bit", "everything on the edge at 8 bits", solve_edge_only_8bit, SolverKind::kBaseline},
    {"random", "some plan that keeps the limits, by lot (--seed); to test with", solve_random},
};

const SolverRow& solver_row(const std::string& name) {
  std::vector<std::string> names;
  for (const SolverRow& row : kSolvers) {
    if (row.name == name) return row;
    names.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage, "unknown solver '" + name + "'" + did_you_mean(name, names),
              "Solvers: " + join_text(names, ", ") + ".");
}

/// A stop token that fires when the caller's does, or after a time.
class Deadline {
 public:
  Deadline(const std::stop_token& outer, double seconds)
      : forward_(outer, [this] { source_.request_stop(); }), timer_([this, seconds](const std::stop_token& over) {
          std::unique_lock lock(mutex_);
          const std::chrono::duration<double> wait(std::min(seconds, 1e9));
          if (!wake_.wait_for(lock, over, wait, [] { return false; }) && !over.stop_requested()) source_.request_stop();
        }) {}

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread timer_;
};

Outcome run(const SolverRow& row, const Problem& problem, const SolveOptions& options) {
  if (!options.time_limit_s) return row.solve(problem, options);
  const Deadline deadline(options.stop, *options.time_limit_s);
  SolveOptions limited = options;
  limited.stop = deadline.token();
  return row.solve(problem, limited);
}

bool close(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

void judge(const Problem& problem, const Outcome& outcome, Pricing pricing) {
  if (outcome.status != Status::kOptimal && outcome.status != Status::kFeasible) return;
  const Judgement judgement = verify_plan(problem, outcome.decision, pricing);
  const std::string complaints = outcome.solver + " broke a rule: " + join_text(judgement.violations, "; ");
  CLEAVE_CHECK(judgement.violations.empty(), complaints.c_str());
  const Evaluation& a = judgement.evaluation;
  const Evaluation& b = outcome.evaluation;
  CLEAVE_CHECK(close(a.latency_s, b.latency_s) && close(a.distortion, b.distortion), "the solver mispriced its plan");
  CLEAVE_CHECK(
      a.weight_bytes == b.weight_bytes && a.activation_bytes == b.activation_bytes && a.wire_bytes == b.wire_bytes,
      "the solver miscounted its plan's bytes");
}

Json named_bits(const std::map<int, int>& bits, const auto& list) {
  Json json = Json::object();
  for (const auto& [position, count] : bits) json[list[static_cast<std::size_t>(position)].name] = count;
  return json;
}

}  // namespace

std::string status_name(Status status) {
  switch (status) {
    case Status::kOptimal:
      return "optimal";
    case Status::kFeasible:
      return "feasible";
    case Status::kInfeasible:
      return "infeasible";
    case Status::kOutOfTime:
      return "out_of_time";
  }
  return "";
}

std::span<const SolverRow> solver_table() {
  return kSolvers;
}

Outcome solve(const Problem& problem, const std::string& solver, const SolveOptions& options) {
  const Outcome outcome = run(solver_row(solver), problem, options);
  judge(problem, outcome, options.pricing);
  return outcome;
}

Outcome with_free_bits(const Problem& problem, const Outcome& outcome, Pricing pricing) {
  if (outcome.status != Status::kOptimal && outcome.status != Status::kFeasible) return outcome;
  const auto part = make_edge_part(problem, outcome.decision.on_edge, pricing);
  const Tuned start{to_choice(problem, *part, outcome.decision), outcome.evaluation};
  if (!within_limits(problem.limits, start.evaluation)) return outcome;
  const Tuned tuned = spend_free_bits(problem, *part, start);
  Outcome spent = make_outcome(outcome.solver, outcome.status, to_decision(problem, *part, tuned.choice),
                               tuned.evaluation, outcome.lower_bound_s);
  judge(problem, spent, pricing);
  return spent;
}

Json Outcome::to_json(const Problem& problem) const {
  const bool answered = status == Status::kOptimal || status == Status::kFeasible;
  const auto known = [answered](double value) { return answered ? Json(value) : Json(nullptr); };
  Json json = make_document("outcome");
  json["status"] = status_name(status);
  json["solver"] = solver;
  json["latency_s"] = known(evaluation.latency_s);
  json["lower_bound_s"] = known(lower_bound_s);
  json["gap_ratio"] = known(gap_ratio);
  json["edge_units"] = Json::array();
  for (std::size_t u = 0; u < decision.on_edge.size(); ++u) {
    if (decision.on_edge[u]) json["edge_units"].push_back(problem.units[u].name);
  }
  json["weight_bits"] = named_bits(decision.weight_bits, problem.units);
  json["activation_bits"] = named_bits(decision.activation_bits, problem.tensors);
  json["wire_bits"] = named_bits(decision.wire_bits, problem.tensors);
  json["weight_bytes"] = evaluation.weight_bytes;
  json["activation_bytes"] = evaluation.activation_bytes;
  json["distortion"] = evaluation.distortion;
  if (infeasibility) {
    json["infeasible"] = {
        {"tightest", infeasibility->tightest}, {"needed", infeasibility->needed}, {"allowed", infeasibility->allowed}};
  }
  return json;
}

}  // namespace cleave::search
