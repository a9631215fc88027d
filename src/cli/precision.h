#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calibration/images.h"
#include "cli/command_line.h"
#include "core/json.h"
#include "core/tensor.h"
#include "exec/precision_choice.h"
#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::cli {

/// --precision and what goes with it; the same for every verb that runs a plain model.
struct PrecisionOptions {
  std::string name;         ///< a name of exec::precisions(), "auto", or empty: as the file has it
  std::string calibration;  ///< path; needed by the quantized modes
  std::string clip = "auto";
  std::optional<double> tolerance;  ///< of "auto"; kDefaultTolerance where empty

  bool given() const { return !name.empty(); }
};

/// Outputs of a mode that `auto` takes differ from those in float32 by at most this relative error (OutputError).
/// MobileNetV2 at 8 bits has 0.15 and loses 0.4 points of top-1 (docs/quantization.md).
inline constexpr double kDefaultTolerance = 0.2;

/// Declares --precision and --tolerance; --calibration and --clip too where the verb has none of its own.
void declare_precision(CommandLine& line, PrecisionOptions& options, bool with_calibration);

/// A network in a precision, and what was measured to choose it.
struct PreciseNetwork {
  graph::Graph graph;
  exec::Precision precision = exec::Precision::kForceFloat32;
  std::vector<exec::PrecisionMeasurement> measured;  ///< with "auto", in the order of exec::precisions()
  double tolerance = kDefaultTolerance;
};

/// Inputs that "auto" measures with, one list of network inputs each.
using SampleInputs = std::vector<std::vector<Tensor>>;

/// The first kSampleImages images for a network with one input. Throws as load_sample and single_input_shape do.
inline constexpr std::int64_t kSampleImages = 16;
SampleInputs first_samples(const graph::Graph& graph, calibration::ImageSet images,
                           const calibration::Preprocess& preprocess);

/// The graph in the precision that the options name. With "auto" every mode is run on samples() (called then only):
/// modes in turn, so that a busy machine slows them alike; the latency of a mode is its quickest run. Quantized modes
/// take part when there is a calibration table.
/// Throws Error(kUsage) for a name that is none, or a quantized mode without --calibration; else as with_precision.
PreciseNetwork in_precision(const graph::Graph& graph, const PrecisionOptions& options,
                            const std::function<SampleInputs()>& samples, const exec::SessionOptions& session);

/// {"precision": NAME, "precision_choice": {"tolerance", "measured": [{"precision", "latency_ms", "error",
/// "within_tolerance"}]}}, the latter with "auto" only. "error": the relative error, null where it is infinite.
void add_precision(Json& document, const PreciseNetwork& network);

/// The same as a table for people; empty without measurements.
std::string precision_text(const PreciseNetwork& network);

}  // namespace cleave::cli
