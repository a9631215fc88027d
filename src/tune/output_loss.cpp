#include "tune/output_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/error.h"

namespace cleave::tune {

namespace {

constexpr double kSmallestProbability = 1e-30;

bool are_probabilities(std::span<const float> values) {
  double sum = 0;
  for (const float x : values) {
    if (!(x >= 0)) return false;
    sum += x;
  }
  return std::abs(sum - 1) < 1e-3;
}

/// log p of scores, as they are when they are probabilities.
std::vector<double> log_probabilities(std::span<const float> scores, bool probabilities) {
  std::vector<double> logs(scores.begin(), scores.end());
  if (probabilities) {
    for (double& x : logs) x = std::log(std::max(x, kSmallestProbability));
    return logs;
  }
  const double top = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (const double x : logs) sum += std::exp(x - top);
  for (double& x : logs) x -= top + std::log(sum);
  return logs;
}

double divergence(std::span<const float> reference, std::span<const float> scores) {
  const bool probabilities = are_probabilities(reference);
  const std::vector<double> p = log_probabilities(reference, probabilities);
  const std::vector<double> q = log_probabilities(scores, probabilities);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += std::exp(p[i]) * (p[i] - q[i]);
  return std::max(sum, 0.0);
}

double relative_error(std::span<const float> reference, std::span<const float> values) {
  double error = 0;
  double power = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double y = reference[i];
    const double d = y - double{values[i]};
    error += d * d;
    power += y * y;
  }
  return error > 0 ? error / std::max(power, std::numeric_limits<double>::min()) : 0;
}

double damage(const Tensor& reference, const Tensor& output) {
  const auto a = reference.data<float>();
  const auto b = output.data<float>();
  CLEAVE_CHECK(a.size() == b.size(), "outputs of one network");
  const double value =
      output_measure(reference.shape()) == OutputMeasure::kKl ? divergence(a, b) : relative_error(a, b);
  return std::isfinite(value) ? value : std::numeric_limits<double>::infinity();
}

}  // namespace

std::string_view output_measure_name(OutputMeasure measure) {
  return measure == OutputMeasure::kKl ? "kl" : "relative_mse";
}

OutputMeasure output_measure(const Shape& shape) {
  const auto wide = std::count_if(shape.begin(), shape.end(), [](std::int64_t d) { return d != 1; });
  return wide == 1 && (shape.size() == 1 || shape[0] == 1) ? OutputMeasure::kKl : OutputMeasure::kRelativeMse;
}

double output_damage(std::span<const Tensor> reference, std::span<const Tensor> outputs) {
  double sum = 0;
  int measured = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (reference[i].dtype() != DType::kFloat32 || reference[i].elements() == 0) continue;
    sum += damage(reference[i], outputs[i]);
    ++measured;
  }
  return measured > 0 ? sum / measured : 0;
}

double cross_entropy(const Tensor& scores, std::int64_t label) {
  const auto values = scores.data<float>();
  if (label < 0 || label >= scores.elements()) {
    throw Error(ErrorKind::kInvalidInput, "label " + std::to_string(label) + " is outside the network's " +
                                              std::to_string(scores.elements()) + " classes");
  }
  return -log_probabilities(values, are_probabilities(values))[static_cast<std::size_t>(label)];
}

}  // namespace cleave::tune
