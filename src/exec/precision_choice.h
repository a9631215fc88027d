#pragma once

#include <span>
#include <vector>

#include "core/tensor.h"
#include "exec/precision.h"

namespace cleave::exec {

/// What a network in one precision costs, and how far its outputs are from those in float32.
struct PrecisionMeasurement {
  Precision precision = Precision::kForceFloat32;
  double latency_ms = 0;
  double error_ratio = 0;  ///< OutputError over the same inputs
};

/// The relative error of a network's outputs over several runs:
///
///     sqrt(sum (y - reference)^2 / sum reference^2)      over all elements of all float32 outputs of all runs
///
/// A run that gives NaN or infinity where the reference has a finite number makes it infinite. 0 / 0 counts as 0.
class OutputError {
 public:
  /// Outputs of one run, in the same order; types and shapes must agree (checked).
  void add(std::span<const Tensor> reference, std::span<const Tensor> outputs);
  double ratio() const;

 private:
  double error_ = 0;
  double size_ = 0;
};

/// The fastest of those with error_ratio <= tolerance; of equally fast ones the first. float32 must be among them
/// (checked), so that there is one. Depends on the measurements alone.
Precision choose_precision(std::span<const PrecisionMeasurement> measured, double tolerance);

}  // namespace cleave::exec
