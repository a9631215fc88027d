#include "search/build_problem.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/plan_table.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "search/baselines.h"
#include "search/solver.h"
#include "tune/sensitivity_table.h"

namespace cleave::cli {

namespace {

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::string calibration;
  std::string sensitivity;
  std::string edge;
  std::string cloud;
  std::string link;
  std::string output = "plan.json";
  std::string solver = search::kDefaultSolver;
  std::string pricing = "exact";
  std::string weight_bits = "2,3,4,5,6,7,8";
  std::string activation_bits = "2,3,4,5,6,7,8";
  std::string wire_bits = "2,3,4,5,6,7,8";
  std::string clip = "auto";
  std::string result_at = "anywhere";
  std::string cut;
  std::string dump_problem;
  std::optional<double> edge_memory_bytes;
  std::optional<double> max_distortion = 0.03;
  std::optional<double> time_limit_s;
  std::int64_t seed = 0;
};

void declare(CommandLine& line, Options& options) {
  line.model(options.model);
  line.text("--calibration", options.calibration, {"FILE", "Table from 'cleave calibrate'", true});
  line.text("--sensitivity", options.sensitivity,
            {"FILE", "From 'cleave sensitivity': distortions are the damage measured at the outputs"});
  line.text("--edge", options.edge, {"D", "Edge device: a preset (eyeriss, raspberry-pi-5, ...) or a file", true});
  line.text("--cloud", options.cloud, {"D", "Cloud device: a preset (tpu-v1, ...) or a file", true});
  line.text("--link", options.link, {"L", "A preset (3mbps, lte, 5g, wifi, ble), 20mbps/50ms, or a file", true});
  line.text("-o,--output", options.output, {"FILE", "The plan"});
  line.text("--solver", options.solver, {"NAME", "Strategy"});
  line.text("--weight-bits", options.weight_bits, {"LIST", "Choices for edge weights (2 to 8; 32: unquantized)"});
  line.text("--activation-bits", options.activation_bits, {"LIST", "Choices for edge activations"});
  line.text("--wire-bits", options.wire_bits, {"LIST", "Choices for tensors that are sent"});
  line.number("--edge-memory", options.edge_memory_bytes, 0, {"BYTES", "Weights and live activations on the edge"});
  line.number("--max-distortion", options.max_distortion, 0,
              {"R",
               "Largest sum over all quantized tensors of relative error powers, or, with --sensitivity, of damages "
               "(default 0.03)"});
  line.text("--clip", options.clip, {"METHOD", quant::clip_method_names()});
  line.text("--cut", options.cut,
            {"TENSOR,...", "Pin the cut at these tensors ('inspect --json' lists cuts: name crossing and results)"});
  line.text("--result-at", options.result_at, {"edge|cloud|anywhere", "Where the network's outputs are wanted"});
  line.text("--pricing", options.pricing,
            {"exact|single-tensor", "single-tensor restates the accounting of publications"});
  line.number("--time-limit", options.time_limit_s, 0, {"SECONDS", "Stop with the best found so far"});
  line.integer("--seed", options.seed, 0, {"N", "For solvers that draw lots"});
  line.text("--dump-problem", options.dump_problem, {"FILE", "Write the problem as numbers (cleave.problem/1)"});
  line.shapes(options.shapes);
}

std::int64_t whole_bytes(double bytes) {
  constexpr double kMost = 9e15;  // whole numbers up to here are exact in a double
  if (bytes <= kMost && bytes == std::floor(bytes)) return static_cast<std::int64_t>(bytes);
  throw Error(ErrorKind::kUsage, "--edge-memory must be a whole number of bytes, at most 9e15");
}

search::Scenario make_scenario(const Options& options) {
  search::Scenario scenario;
  scenario.edge = load_device(options.edge);
  scenario.cloud = load_device(options.cloud);
  scenario.link = load_link(options.link);
  scenario.weight_bits = parse_bits(options.weight_bits, "--weight-bits");
  scenario.activation_bits = parse_bits(options.activation_bits, "--activation-bits");
  scenario.wire_bits = parse_bits(options.wire_bits, "--wire-bits");
  scenario.result_at = search::result_at_from_name(options.result_at);
  scenario.clip = quant::clip_method_from_name(options.clip);
  scenario.limits.edge_memory_bytes = scenario.edge.memory_bytes;
  if (options.edge_memory_bytes) scenario.limits.edge_memory_bytes = whole_bytes(*options.edge_memory_bytes);
  scenario.limits.distortion = options.max_distortion;
  if (!options.cut.empty()) scenario.pinned_cut = split_text(options.cut, ',');
  return scenario;
}

search::SolveOptions make_solve_options(const Options& options) {
  search::SolveOptions solve;
  solve.time_limit_s = options.time_limit_s;
  solve.seed = static_cast<std::uint64_t>(options.seed);
  solve.pricing = search::pricing_from_name(options.pricing);
  return solve;
}

/// The problem without the pin: what a plan is compared with may be cut anywhere.
search::Problem unpinned(const Network& network, const quant::CalibrationTable& table, search::Scenario scenario) {
  scenario.pinned_cut.reset();
  return search::build_problem(network.graph, table, scenario);
}

/// The solver's answer; how long it took goes to the log only, so that equal searches give equal plans.
search::Outcome solve_timed(const search::Problem& problem, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const search::SolveOptions solve_options = make_solve_options(options);
  const search::Outcome outcome =
      with_free_bits(problem, search::solve(problem, options.solver, solve_options), solve_options.pricing);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  log_info("solver " + options.solver + ", seed " + std::to_string(options.seed) + ", wall_s " +
           fixed(wall.count(), 3));
  return outcome;
}

/// The sensitivities asked for. Throws Error(kStale) when they are of another network or calibration.
std::optional<tune::SensitivityTable> load_sensitivity(const Options& options, const graph::Graph& graph,
                                                       const quant::CalibrationTable& table) {
  if (options.sensitivity.empty()) return std::nullopt;
  auto sensitivity = tune::SensitivityTable::load(options.sensitivity, graph);
  if (sensitivity.made_from["calibration"] != table.fingerprint()) {
    throw Error(ErrorKind::kStale, options.sensitivity + " was measured with another calibration table",
                "Run cleave sensitivity with this one.");
  }
  if (sensitivity.clip == quant::clip_method_name(quant::clip_method_from_name(options.clip))) return sensitivity;
  throw Error(ErrorKind::kUsage,
              options.sensitivity + " was measured with --clip " + sensitivity.clip + ", not " + options.clip);
}

search::Plan find_plan(const Options& options) {
  search::Scenario scenario = make_scenario(options);
  const quant::CalibrationTable table = quant::CalibrationTable::load(options.calibration);
  const Network network = load_network(options.model, options.shapes);
  const auto sensitivity = load_sensitivity(options, network.graph, table);
  if (sensitivity) {
    scenario.damage = {sensitivity->weight_damages(), sensitivity->activation_damages(network.graph)};
  }
  const search::Problem problem = search::build_problem(network.graph, table, scenario);
  if (!options.dump_problem.empty()) write_json(options.dump_problem, problem.to_json());

  search::Plan plan = search::make_plan(problem, solve_timed(problem, options));
  plan.seed = static_cast<std::uint64_t>(options.seed);
  plan.clip = quant::clip_method_name(scenario.clip);
  plan.result_at = options.result_at;
  plan.baselines = search::baselines(scenario.pinned_cut ? unpinned(network, table, scenario) : problem,
                                     search::full_precision_problem(network.graph, table, scenario), table,
                                     search::pricing_from_name(options.pricing));
  plan.made_from = {{"model", network.graph.fingerprint()},
                    {"calibration", table.fingerprint()},
                    {"edge", scenario.edge.fingerprint},
                    {"cloud", scenario.cloud.fingerprint},
                    {"link", scenario.link.fingerprint}};
  if (sensitivity) {
    plan.proxy = "output_damage";
    plan.made_from["sensitivity"] = sensitivity->fingerprint();
  }
  return plan;
}

}  // namespace

int run_search(const std::vector<std::string>& arguments) {
  CommandLine line(
      "search", "Finds the cut and the bit-widths of least modelled latency within memory and distortion limits.",
      "  cleave search model.onnx --calibration calibration.json --edge eyeriss --cloud tpu-v1 --link 3mbps\n"
      "  cleave search model.onnx --calibration c.json --edge raspberry-pi-5 --cloud tpu-v1 --link 20mbps/50ms \\\n"
      "      --edge-memory 1000000 --max-distortion 0.05 --json");
  Options options;
  declare(line, options);
  if (!line.parse(arguments)) return 0;

  const search::Plan plan = find_plan(options);
  plan.save(options.output);
  line.json() ? write_result(plan.to_json()) : write_result(plan_table(plan) + "plan -> " + options.output + "\n");
  if (plan.status == search::Status::kInfeasible) {
    if (line.json()) log_error(Error(ErrorKind::kConstraint, infeasible_text(plan)));
    return exit_code(ErrorKind::kConstraint);
  }
  return plan.status == search::Status::kOutOfTime ? exit_code(ErrorKind::kOutOfTime) : 0;
}

}  // namespace cleave::cli
