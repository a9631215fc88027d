#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "calibration/images.h"
#include "core/progress.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "tune/sensitivity.h"

namespace cleave::evaluation {

/// Which images sensitivities are measured on, and for how long.
struct SensitivityRun {
  tune::SensitivityOptions options;
  calibration::Preprocess preprocess;
  std::int64_t samples = 0;      ///< evenly spread over all images; 0: tune::affordable_samples
  std::int64_t shard_index = 0;  ///< of the samples, as ImageSet::shard shares them out
  std::int64_t shard_count = 1;
  std::function<bool()> enough;                     ///< asked after each chunk of samples; empty: never
  std::optional<std::filesystem::path> checkpoint;  ///< written after each chunk
  bool resume = false;                              ///< continue from the checkpoint when it is there
};

/// Sensitivities over images. Samples are taken in the order of stable_hash(path), so that a run that stops early has
/// seen images from everywhere. The table depends on which images were used, and on nothing else; the merged tables
/// of all shards are those of one run.
///
/// Throws as tune::SensitivityMeter; Error(kIo | kInvalidInput) for an image that cannot be read; Error(kStale) for a
/// checkpoint of another run; Error(kInterrupted) on a stop request, the chunks before it being in the checkpoint.
tune::SensitivityTable measure_sensitivity(const graph::Graph& graph, const quant::CalibrationTable& table,
                                           calibration::ImageSet images, const SensitivityRun& run,
                                           const StageControl& control = {});

}  // namespace cleave::evaluation
