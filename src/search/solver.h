#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "search/problem.h"

namespace cleave::search {

/// One answer to a problem: the edge units and a choice for everything that is to be decided. Bits by index of unit
/// or tensor.
struct Decision {
  std::vector<bool> on_edge;           ///< per unit
  std::map<int, int> weight_bits;      ///< edge units with weights
  std::map<int, int> activation_bits;  ///< decided tensors
  std::map<int, int> wire_bits;        ///< crossing tensors
};

/// What a decision costs, term by term; the judge's own arithmetic.
struct Evaluation {
  double latency_s = 0;
  double edge_s = 0, link_s = 0, cloud_s = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t activation_bytes = 0;
  std::int64_t wire_bytes = 0;
  double distortion = 0;
};

enum class Status { kOptimal, kFeasible, kInfeasible, kOutOfTime };
std::string status_name(Status status);

/// The tightest constraint of an infeasible problem: what it allows and the least that any plan needs.
struct Infeasibility {
  std::string tightest;  ///< "edge_memory_bytes", "distortion", ... or "units" when nothing can run somewhere
  double needed = 0;
  double allowed = 0;
};

/// cleave.outcome/1.
struct Outcome {
  Status status = Status::kInfeasible;
  std::string solver;
  Decision decision;
  Evaluation evaluation;
  double lower_bound_s = 0;
  double gap_ratio = 0;
  std::optional<Infeasibility> infeasibility;

  Json to_json(const Problem& problem) const;
};

/// kExact prices all crossing tensors; kSingleTensor restates the accounting of publications (docs: problem contract).
enum class Pricing { kExact, kSingleTensor };

struct SolveOptions {
  std::optional<double> time_limit_s;  ///< solve() turns it into `stop`: the best so far is the answer then
  std::uint64_t seed = 0;
  double gap = 1e-9;
  Pricing pricing = Pricing::kExact;
  /// exhaustive refuses problems with more answers with Error(kUnsupported); exact leaves a memory peak aside where its
  /// graph would have more steps (5 million at most).
  std::int64_t max_decisions = 200'000'000;
  std::stop_token stop;
};

/// kBaseline: one published choice, without regard to the limits it may break; then it has no answer though others do.
enum class SolverKind { kSearch, kBaseline };

/// A strategy. It sees numbers only; its answer is judged by verify_plan before anyone believes it.
struct SolverRow {
  const char* name;
  const char* what;
  Outcome (*solve)(const Problem& problem, const SolveOptions& options);
  SolverKind kind = SolverKind::kSearch;
};

/// The ordered table of solvers; docs/search.md describes each.
std::span<const SolverRow> solver_table();

/// Runs a solver by name, then the judge (a failed judgement is our bug: CLEAVE_CHECK).
/// Throws Error(kUsage) for an unknown name ("did you mean").
Outcome solve(const Problem& problem, const std::string& solver, const SolveOptions& options = {});

/// The same answer with every bit that costs no time and breaks no limit spent on distortion: the contract's ties ask
/// for the fewest bits, who runs the plan wants accuracy for nothing. Other answers than plans stay as they are.
Outcome with_free_bits(const Problem& problem, const Outcome& outcome, Pricing pricing);

/// What `cleave search` uses when no solver is named: the optimum, proved, within seconds on real networks.
inline constexpr const char* kDefaultSolver = "exact";

/// "exact" or "single-tensor". Throws Error(kUsage) for another name.
Pricing pricing_from_name(const std::string& name);

}  // namespace cleave::search
