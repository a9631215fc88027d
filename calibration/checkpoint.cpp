#include "calibration/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace cleave::calibration {

namespace {

quant::CalibrationTable fresh_table(const graph::Graph& graph, const std::string& model_sha256,
                                    const CalibrateOptions& options) {
  quant::CalibrationTable table;
  table.model_sha256 = model_sha256;
  table.graph_fingerprint = graph.fingerprint();
  table.preprocess = options.preprocess.to_json().dump();
  table.statistics = options.histogram_values == HistogramValues::kAll ? "full" : "sampled";
  table.shards = {options.shard_index};
  table.shard_count = options.shard_count;
  for (const graph::TensorId id : calibration_taps(graph)) {
    table.tensors[graph.tensor(id).name] = empty_statistics(graph.tensor(id).shape);
  }
  if (!options.pre_activation) return table;
  for (const auto& [made, read] : pre_activations(graph)) table.tensors[graph.tensor(made).name].before.emplace();
  return table;
}

bool same_tensors(const quant::CalibrationTable& a, const quant::CalibrationTable& b) {
  return std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && x.second.channels.size() == y.second.channels.size();
                    });
}

bool same_pre_activations(const quant::CalibrationTable& a, const quant::CalibrationTable& b) {
  return std::equal(
      a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
      [](const auto& x, const auto& y) { return x.second.before.has_value() == y.second.before.has_value(); });
}

bool covers(const ImageSet& images, const quant::CalibrationTable& table) {
  const auto has = [&](const std::string& path) {
    return std::binary_search(images.paths().begin(), images.paths().end(), path);
  };
  return std::all_of(table.images.begin(), table.images.end(), [&](const auto& image) { return has(image.path); }) &&
         std::all_of(table.bad_images.begin(), table.bad_images.end(), has);
}

/// What the checkpoint does not share with this run, or "".
std::string difference(const quant::CalibrationTable& found, const quant::CalibrationTable& wanted,
                       const ImageSet& images) {
  if (found.model_sha256 != wanted.model_sha256) return "model";
  if (found.graph_fingerprint != wanted.graph_fingerprint || !same_tensors(found, wanted)) return "graph";
  if (found.preprocess != wanted.preprocess) return "preprocessing";
  if (found.statistics != wanted.statistics || !same_pre_activations(found, wanted)) return "kind of statistics";
  if (found.shards != wanted.shards || found.shard_count != wanted.shard_count) return "shard";
  return covers(images, found) ? "" : "image set";
}

}  // namespace

quant::CalibrationTable start_table(const graph::Graph& graph, const std::string& model_sha256, const ImageSet& images,
                                    const CalibrateOptions& options) {
  quant::CalibrationTable fresh = fresh_table(graph, model_sha256, options);
  if (!options.resume || !options.checkpoint || !std::filesystem::exists(*options.checkpoint)) return fresh;
  quant::CalibrationTable found = quant::CalibrationTable::load(*options.checkpoint);
  const std::string other = difference(found, fresh, images);
  if (other.empty()) return found;
  throw Error(ErrorKind::kStale, options.checkpoint->string() + ": progress of another " + other,
              "Delete it, or run without --resume.");
}

}  // namespace cleave::calibration
