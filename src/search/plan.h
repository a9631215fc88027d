#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "search/solver.h"

namespace cleave::search {

struct PlanUnit {
  bool on_edge = false;
  int weight_bits = 0;      ///< 0 without weights or on the cloud
  int activation_bits = 0;  ///< widest over its inputs; 0 on the cloud
  double edge_ms = 0;       ///< at the chosen bits (at the widest ones for a cloud unit); 0 when it cannot run there
  double cloud_ms = 0;
};

struct PlanCrossing {
  std::string tensor;
  int bits = 0;
  std::int64_t elements = 0;
  std::int64_t bytes = 0;
};

struct PlanBaseline {
  double latency_ms = 0;
  std::string detail;  ///< e.g. the uploaded bytes
};

/// The answer for people and for export: plan.json.
struct Plan {
  Status status = Status::kInfeasible;
  std::string solver;
  std::uint64_t seed = 0;
  std::string clip = "auto";
  std::string proxy = "tensor_mse";  ///< what `distortion` sums up: tensor_mse, or output_damage (MeasuredDamage)
  std::string result_at = "anywhere";
  double latency_ms = 0, lower_bound_ms = 0, gap_ratio = 0;
  double edge_ms = 0, link_ms = 0, cloud_ms = 0;
  std::int64_t weight_bytes = 0, activation_bytes = 0;
  double distortion = 0;
  double wire_bytes_mean = 0, wire_bytes_p95 = 0;
  std::vector<std::string> edge_units;  ///< schedule order
  std::vector<PlanCrossing> crossing;
  std::map<std::string, PlanUnit> units;
  std::map<std::string, int> activation_bits;  ///< decided tensors
  std::map<std::string, std::optional<PlanBaseline>> baselines;
  std::map<std::string, std::string> made_from;  ///< model (graph), calibration, edge, cloud, link, sensitivity
  std::optional<Infeasibility> infeasibility;

  Json to_json() const;
  static Plan from_json(const Json& json, const std::string& origin);
  static Plan load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;
  std::string fingerprint() const;
};

/// The plan in names and milliseconds.
Plan make_plan(const Problem& problem, const Outcome& outcome);

}  // namespace cleave::search
