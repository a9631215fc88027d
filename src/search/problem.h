#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace cleave::search {

/// The optimisation problem as numbers only; docs: the problem contract. Indices instead of names inside; the file
/// (cleave.problem/1) has names.
struct ActivationOption {
  int bits;
  double distortion;
};
struct WireOption {
  int bits;
  std::int64_t bytes;
  double distortion;
};
struct WeightOption {
  int bits;
  std::int64_t bytes;
  double distortion;
};

struct ProblemTensor {
  std::string name;
  std::int64_t elements = 0;
  std::vector<ActivationOption> activation;  ///< ascending bits; empty: may not be decided
  std::vector<WireOption> wire;              ///< ascending bits; empty: may not be sent
  int producer = -1;                         ///< unit, or -1 for a network input
  std::vector<int> consumers;                ///< units, ascending
  bool is_output = false;
};

struct ProblemUnit {
  std::string name;
  std::vector<int> inputs;  ///< tensors
  std::vector<int> outputs;
  std::vector<WeightOption> weight;  ///< ascending bits; {0, 0, 0} for a unit without weights
  bool has_weights = true;
  std::map<int, std::map<int, double>>
      edge_s;                     ///< weight bits -> widest activation bits -> seconds; empty: not on the edge
  std::optional<double> cloud_s;  ///< empty: not on the cloud
};

enum class ResultAt { kEdge, kCloud, kAnywhere };
/// "edge", "cloud" or "anywhere". Throws Error(kUsage) for another name.
ResultAt result_at_from_name(const std::string& name);

struct ProblemLink {
  double bytes_per_s = 0;
  double rtt_s = 0;
  double header_bytes = 0;
  double download_bytes_per_s = 0;
  double result_bytes = 0;
};

struct Limits {
  std::optional<std::int64_t> edge_memory_bytes;
  std::optional<std::int64_t> weight_bytes;
  std::optional<std::int64_t> activation_bytes;
  std::optional<double> distortion;
};

struct Problem {
  std::vector<ProblemTensor> tensors;
  std::vector<ProblemUnit> units;  ///< schedule order
  std::vector<int> inputs;
  std::vector<int> outputs;
  ResultAt result_at = ResultAt::kAnywhere;
  ProblemLink link;
  Limits limits;

  /// Checks every rule of the contract. Throws Error(kInvalidInput) naming the place.
  static Problem from_json(const Json& json, const std::string& origin);
  Json to_json() const;
  /// Fills producers, consumers and is_output, and validates; for problems built in code.
  void finish();
};

}  // namespace cleave::search
