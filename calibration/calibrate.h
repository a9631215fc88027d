#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "calibration/images.h"
#include "core/progress.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

struct CalibrateOptions {
  Preprocess preprocess;
  std::int64_t limit = 0;  ///< 0: all images
  std::int64_t shard_index = 0;
  std::int64_t shard_count = 1;
  std::int64_t max_bad = 10;                        ///< more unreadable images than this is an error
  int threads = 0;                                  ///< images in flight; 0: all cores
  std::optional<std::filesystem::path> checkpoint;  ///< where progress is kept (every 30 s and on interruption)
  bool resume = false;                              ///< continue from the checkpoint when it is there and fits
};

/// Runs the float network over the images and collects statistics of every network input and unit output.
/// Memory does not depend on the number of images; the table does not depend on threads, shards or order.
/// Networks with several inputs need .npy samples per input (not supported yet: Error(kUnsupported)).
/// Throws Error(kInterrupted) after saving the checkpoint; Error(kInvalidInput) past max_bad.
quant::CalibrationTable calibrate(const graph::Graph& graph, const std::string& model_sha256, ImageSet images,
                                  const CalibrateOptions& options, const StageControl& control = {});

}  // namespace cleave::calibration
