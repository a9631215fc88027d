#pragma once

#include <filesystem>
#include <map>
#include <memory>
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
  std::string fingerprint;               ///< of the file's content
  std::shared_ptr<const Json> document;  ///< the file as it is
};
/// `where` is for messages. Throws Error(kStale) when it was made from another network, Error(kInvalidInput).
TunedFile tuned_from_json(std::shared_ptr<const Json> document, const std::string& where, const graph::Graph& graph);
/// The same from a file. Throws Error(kIo) as well.
TunedFile load_tuned(const std::filesystem::path& path, const graph::Graph& graph);

}  // namespace cleave::tune
