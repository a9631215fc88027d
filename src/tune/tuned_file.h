#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "tune/tune.h"

namespace cleave::tune {

/// What a tuned network was made from and how: the head of its file.
struct TunedOrigin {
  std::map<std::string, std::string> made_from;  ///< fingerprints: model (graph), calibration, and plan if there is one
  std::string bits;                              ///< "plan", or as given: "W4A8"
  std::string steps;                             ///< steps_text
  std::int64_t samples = 0;
};

/// cleave.tuned/1: the origin, the whole spec with codes and biases, and a row per unit with weights.
Json tuned_json(const graph::Graph& graph, const Tuned& tuned, const TunedOrigin& origin);

struct TunedFile {
  TunedOrigin origin;
  exec::QuantizationSpec spec;
  std::string fingerprint;  ///< of the file's content
};
/// Throws Error(kStale) when the file was made from another network, Error(kIo | kInvalidInput).
TunedFile load_tuned(const std::filesystem::path& path, const graph::Graph& graph);

}  // namespace cleave::tune
