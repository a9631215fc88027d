#include <algorithm>

#include "cost/models.h"

namespace cleave::cost {

namespace {

double mac_rate(const RooflineModel& model, const Request& request) {
  const double float_rate = model.float_macs_per_s > 0 ? model.float_macs_per_s : model.macs_per_s / 4;
  if (std::max(request.weight, request.activation).count > 16) return float_rate;
  return std::max(float_rate, model.macs_per_s / request.passes());
}

}  // namespace

double seconds(const RooflineModel& model, const Request& request) {
  const double compute_s = request.work.is_convolution
                               ? static_cast<double>(request.work.macs) / mac_rate(model, request)
                               : static_cast<double>(request.work.vector_ops) / model.vector_ops_per_s;
  return model.overhead_s + std::max(compute_s, request.bytes() / model.bytes_per_s);
}

}  // namespace cleave::cost
