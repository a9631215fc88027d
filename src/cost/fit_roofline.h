#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "cost/device.h"

namespace cleave::cost {

/// Units that were timed together (a convolution and the addition that runs inside it), all at one bit-width.
struct MeasuredUnits {
  std::vector<std::string> names;
  std::vector<UnitWork> work;
  quant::Bits bits;    ///< of weights and activations
  double seconds = 0;  ///< greater than 0
};

struct RooflineFit {
  RooflineModel model;
  double median_relative_error = 0;        ///< of |predicted - measured| / measured over the groups
  std::map<std::string, double> op_error;  ///< the same by operator of a group's first unit
};

/// The roofline (ComputeScaling::kNone) nearest to measured times: the least of
///
///     sum_i w_i H(ln predicted_i - ln measured_i)      w_i = (1 / n + measured_i / sum of measured) / 2
///
/// H: Huber's loss, quadratic up to 0.1 and linear beyond, so that single units that the model cannot describe do not
/// bend it (Huber, Annals of Mathematical Statistics 1964). A unit weighs half by being one, half by its time.
/// predicted_i sums the units of a group. Found by pattern search over the logarithms of the five parameters; a rate
/// that no unit is bound by stays at the fastest that was seen.
///
/// units  at least one with MACs at 8 bits or 32. Without units at one of the two widths its rate is derived as the
///        model does: float_macs_per_s = macs_per_s / 4.
/// Throws Error(kInvalidInput) when there is nothing to fit to.
/// Cost   a few thousand evaluations of all units.
RooflineFit fit_roofline(std::span<const MeasuredUnits> units);

/// Seconds that a model says for a group.
double predicted_seconds(const RooflineModel& model, const MeasuredUnits& units);

}  // namespace cleave::cost
