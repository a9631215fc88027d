#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "search/solver.h"

namespace cleave::cli {

namespace {

std::string to_table(const search::Problem& problem, const search::Outcome& outcome) {
  std::string text = "status    " + search::status_name(outcome.status) + " (" + outcome.solver + ")\n";
  if (outcome.infeasibility) {
    const search::Infeasibility& why = *outcome.infeasibility;
    return text + "tightest  " + why.tightest + ": needs " + number_text(why.needed) + ", " + number_text(why.allowed) +
           " allowed\n";
  }
  std::string units;
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    if (outcome.decision.on_edge[u]) units += " " + problem.units[u].name;
  }
  const search::Evaluation& cost = outcome.evaluation;
  return text + "latency   " + Json(cost.latency_s).dump() + " s (bound " + Json(outcome.lower_bound_s).dump() +
         " s)\n" + "edge      " + (units.empty() ? " nothing" : units) + "\nmemory    " +
         std::to_string(cost.weight_bytes) + " B weights, " + std::to_string(cost.activation_bytes) +
         " B activations\ndistortion " + Json(cost.distortion).dump() + "\n";
}

}  // namespace

int run_solve(const std::vector<std::string>& arguments) {
  CommandLine line("solve", "Solves a numbers-only problem (cleave.problem/1), without a network.",
                   "  cleave solve problem.json --solver exhaustive --json");
  std::string path;
  std::string solver = search::kDefaultSolver;
  std::string pricing = "exact";
  std::string output;
  std::optional<double> time_limit_s;
  std::int64_t seed = 0;
  line.positional("PROBLEM", path, {"", "cleave.problem/1 file", true});
  line.text("--solver", solver, {"NAME", "Strategy"});
  line.text("--pricing", pricing, {"exact|single-tensor", "single-tensor restates the accounting of publications"});
  line.number("--time-limit", time_limit_s, 0, {"SECONDS", "Stop with the best found so far"});
  line.integer("--seed", seed, 0, {"N", "For solvers that draw lots"});
  line.text("-o,--output", output, {"FILE", "Write the outcome (cleave.outcome/1) here as well"});
  if (!line.parse(arguments)) return 0;

  search::SolveOptions options;
  options.time_limit_s = time_limit_s;
  options.seed = static_cast<std::uint64_t>(seed);
  options.pricing = search::pricing_from_name(pricing);
  const search::Problem problem = search::Problem::from_json(read_json(path), path);
  const search::Outcome outcome = search::solve(problem, solver, options);
  const Json document = outcome.to_json(problem);
  if (!output.empty()) write_json(output, document);
  line.json() ? write_result(document) : write_result(to_table(problem, outcome));
  if (outcome.status == search::Status::kInfeasible) return exit_code(ErrorKind::kConstraint);
  return outcome.status == search::Status::kOutOfTime ? exit_code(ErrorKind::kOutOfTime) : 0;
}

}  // namespace cleave::cli
