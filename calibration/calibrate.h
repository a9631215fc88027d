#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "calibration/images.h"
#include "calibration/statistics.h"
#include "core/progress.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

struct CalibrateOptions {
  Preprocess preprocess;
  HistogramValues histogram_values = HistogramValues::kSample;
  bool pre_activation = false;  ///< also count the values before the Relu or Clip that ends a unit
  std::int64_t limit = 0;       ///< 0: all images
  std::int64_t shard_index = 0;
  std::int64_t shard_count = 1;
  std::int64_t max_bad = 10;                           ///< more unreadable images than this (of this shard) is an error
  int threads = 0;                                     ///< images in flight; 0: all cores
  std::optional<std::filesystem::path> checkpoint;     ///< where progress is kept, now and then and on interruption
  std::int64_t checkpoint_images = 256;                ///< images between two checkpoints
  bool resume = false;                                 ///< continue from the checkpoint when it is there
  std::function<void(const std::string&)> on_warning;  ///< once per skipped image, from one thread at a time
};

/// The network input that images feed. Throws Error(kUnsupported) unless the network has one input, float32.
const graph::TensorInfo& calibrated_input(const graph::Graph& graph);

/// Runs the float network over the images and collects statistics of every network input and unit output.
///
/// Each image runs on one thread; counts merge exactly: the table does not depend on threads, checkpoints or order,
/// and the merged tables of all shards are byte-identical to one run. Memory: one compiled network and one set of
/// histograms per thread, whatever the number of images.
/// The checkpoint is a calibration table of the images so far; whoever saves the result removes it.
/// An empty shard, or one whose images are all unreadable, gives a table without images.
///
/// Throws Error(kUnsupported) unless the network has one input, float32; Error(kInvalidInput) past max_bad or when no
/// image of the whole set can be read; Error(kInterrupted) after saving the checkpoint; Error(kStale) when a
/// checkpoint to resume from is of another model, preprocessing, kind of statistics, shard or image set.
quant::CalibrationTable calibrate(const graph::Graph& graph, const std::string& model_sha256, ImageSet images,
                                  const CalibrateOptions& options, const StageControl& control = {});

}  // namespace cleave::calibration
