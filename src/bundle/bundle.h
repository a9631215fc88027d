#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "bundle/wire_tensor.h"
#include "core/json.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "graph/model.h"
#include "quant/calibration_table.h"
#include "search/plan.h"
#include "tune/tuned_file.h"

namespace cleave::bundle {

struct ExportOptions {
  bool quantize = true;                    ///< false: every bit-width becomes 32
  const tune::TunedFile* tuned = nullptr;  ///< grids, scales, codes and biases that 'cleave tune' found for the plan
};

/// Both halves as graphs with what connects them.
struct SplitBundle {
  graph::Graph edge;
  std::optional<graph::Graph> cloud;  ///< empty when nothing crosses
  std::vector<WireTensor> wire;
  exec::QuantizationSpec spec;
  bool batchable = false;
  std::filesystem::path model_path;  ///< where the network came from; the manifest records it relative to the folder
  std::shared_ptr<const Json> manifest;  ///< cleave.manifest/1 (file fingerprints are filled in by save)
  std::shared_ptr<const Json> preprocess;
  search::Plan plan;
  std::shared_ptr<const Json> tuned;  ///< cleave.tuned/1 that the edge was made with, or null
};

/// Quantizers of a plan, recomputed from the table and the weights by the plan's clip method.
exec::QuantizationSpec quantization_spec(const graph::Graph& graph, const search::Plan& plan,
                                         const quant::CalibrationTable& table);

/// Cuts and quantizes. Throws Error(kStale) when plan, table, tuned file and model do not belong together,
/// Error(kConstraint) for a plan that is infeasible, Error(kInvalidInput) for a tuned file that does not decide what
/// its plan decides.
SplitBundle make(const graph::Model& model, const graph::Graph& prepared, const search::Plan& plan,
                 const quant::CalibrationTable& table, const ExportOptions& options = {});

/// edge.onnx, cloud.onnx, manifest.json, preprocess.json, plan.json, tuned.json if there is one; the folder appears
/// whole or not at all.
void save(const SplitBundle& bundle, const std::filesystem::path& folder);

/// A bundle on disk as it will be run; checks fingerprints. Throws Error(kInvalidInput | kStale).
struct LoadedBundle {
  std::filesystem::path folder;
  graph::Model edge;
  std::optional<graph::Model> cloud;
  std::vector<WireTensor> wire;
  std::shared_ptr<const Json> manifest;
  std::shared_ptr<const Json> preprocess;
  search::Plan plan;
  std::shared_ptr<const Json> tuned;  ///< or null
};
LoadedBundle load(const std::filesystem::path& folder);

/// Where export found the original network, as the manifest records it. Throws Error(kIo) when it is not there (any
/// more); whether it is still the same network is for the reader to check by fingerprint.
std::filesystem::path original_model_path(const LoadedBundle& bundle);

}  // namespace cleave::bundle
