#include "exec/precision_choice.h"

#include <cmath>
#include <limits>

#include "core/check.h"

namespace cleave::exec {

void OutputError::add(std::span<const Tensor> reference, std::span<const Tensor> outputs) {
  CLEAVE_CHECK(reference.size() == outputs.size(), "both are outputs of one network");
  for (std::size_t k = 0; k < reference.size(); ++k) {
    if (reference[k].dtype() != DType::kFloat32) continue;
    const auto expected = reference[k].data<float>();
    const auto given = outputs[k].data<float>();
    CLEAVE_CHECK(expected.size() == given.size(), "both are outputs of one network");
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!std::isfinite(expected[i])) continue;
      const double apart = static_cast<double>(given[i]) - static_cast<double>(expected[i]);
      error_ += std::isfinite(apart) ? apart * apart : std::numeric_limits<double>::infinity();
      size_ += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
    }
  }
}

double OutputError::ratio() const {
  return error_ == 0 ? 0 : std::sqrt(error_ / size_);
}

Precision choose_precision(std::span<const PrecisionMeasurement> measured, double tolerance) {
  const PrecisionMeasurement* best = nullptr;
  for (const PrecisionMeasurement& m : measured) {
    const bool allowed = m.precision == Precision::kForceFloat32 || m.error_ratio <= tolerance;
    if (allowed && (best == nullptr || m.latency_ms < best->latency_ms)) best = &m;
  }
  CLEAVE_CHECK(best != nullptr, "float32 is always allowed");
  return best->precision;
}

}  // namespace cleave::exec
