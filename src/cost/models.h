#pragma once

#include <string>

#include "cost/device.h"

namespace cleave::cost {

/// What every latency model is asked.
struct Request {
  const std::string& unit_name;
  const UnitWork& work;
  quant::Bits weight;
  quant::Bits activation;
  ComputeScaling scaling;

  double bytes() const { return traffic_bytes(work, weight, activation); }
  /// Compute time over that at 8 x 8 bits; a product of two activations has no weight width of its own.
  double passes() const { return compute_passes(scaling, work.weight_elements == 0 ? activation : weight, activation); }
};

/// One overload per model, each in a file of its own; formulas stand at the model's type.
double seconds(const UnitModel& model, const Request& request);
double seconds(const RooflineModel& model, const Request& request);
double seconds(const SystolicModel& model, const Request& request);
double seconds(const TableModel& model, const Request& request);
double seconds(const TileModel& model, const Request& request);

/// "W8A8": the key of a measured table.
std::string bits_key(quant::Bits weight, quant::Bits activation);

/// Whether the device tells seconds at this width, weights and activations alike: a table may not.
bool prices_width(const Device& device, quant::Bits width);

}  // namespace cleave::cost
