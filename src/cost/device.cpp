#include "cost/device.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/check.h"
#include "cost/models.h"

namespace cleave::cost {

namespace {

double packed(std::int64_t elements, quant::Bits bits) {
  return std::ceil(static_cast<double>(elements) * bits.count / 8);
}

double power_of_two_width(quant::Bits bits) {
  return std::bit_ceil(static_cast<unsigned>(std::max(bits.count, 2)));
}

}  // namespace

double compute_passes(ComputeScaling scaling, quant::Bits weight, quant::Bits activation) {
  const int widest = std::max(weight, activation).count;
  switch (scaling) {
    case ComputeScaling::kNone:
      return std::ceil(widest / 8.0);
    case ComputeScaling::kBitFusion:
      return power_of_two_width(weight) * power_of_two_width(activation) / 64;
    case ComputeScaling::kTensorCore:
      return widest <= 4 ? 0.5 : widest <= 8 ? 1 : widest <= 16 ? 2 : 4;
  }
  CLEAVE_CHECK(false, "a compute scaling is one of three");
  return 1;
}

double traffic_bytes(const UnitWork& work, quant::Bits weight, quant::Bits activation) {
  return packed(work.weight_elements, weight) + packed(work.input_elements, activation) +
         packed(work.output_elements, activation);
}

std::optional<double> unit_seconds(const Device& device, const std::string& unit_name, const UnitWork& work,
                                   quant::Bits weight, quant::Bits activation) {
  const auto& operators = device.operators;
  if (!operators.empty() && std::find(operators.begin(), operators.end(), work.op) == operators.end()) {
    return std::nullopt;
  }
  const Request request{unit_name, work, weight, activation, device.scaling};
  return std::visit([&request](const auto& model) { return seconds(model, request); }, device.model);
}

}  // namespace cleave::cost
