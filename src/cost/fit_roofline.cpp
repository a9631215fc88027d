#include "cost/fit_roofline.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "cost/models.h"

namespace cleave::cost {

namespace {

constexpr double kHuberWidth = 0.1;
constexpr double kFirstStep = 2;  ///< of ln of a parameter
constexpr double kLastStep = 1e-3;
/// Where no measured unit needs a rate, nothing holds it: it stops at 10^15, the overhead at 10^-15 s.
constexpr double kFarthest = 34.5;  ///< of |ln| of a parameter

/// Logarithms of 8-bit rate, float rate, vector rate, bandwidth and overhead.
using Parameters = std::array<double, 5>;

RooflineModel model_of(const Parameters& p) {
  return {std::exp(p[0]), std::exp(p[1]), std::exp(p[2]), std::exp(p[3]), std::exp(p[4])};
}

double huber(double x) {
  const double size = std::abs(x);
  return size <= kHuberWidth ? x * x / 2 : kHuberWidth * (size - kHuberWidth / 2);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool has_macs(const MeasuredUnits& units) {
  return std::any_of(units.work.begin(), units.work.end(), [](const UnitWork& work) { return work.is_convolution; });
}

class Fit {
 public:
  explicit Fit(std::span<const MeasuredUnits> units) : units_(units) {
    for (const MeasuredUnits& group : units) total_s_ += group.seconds;
  }

  RooflineModel run() const {
    Parameters best = start(0.5);
    for (const double share : {0.05, 0.9}) {
      const Parameters other = search(start(share));
      if (loss(other) < loss(best)) best = other;
    }
    return model_of(search(best));
  }

 private:
  /// Rates at which the fastest unit would do its whole time's work; overhead a share of the shortest time.
  Parameters start(double overhead_share) const {
    double code_rate = 0, float_rate = 0, vector_rate = 1, bandwidth = 1, shortest_s = units_[0].seconds;
    for (const MeasuredUnits& group : units_) {
      double macs = 0, vector_ops = 0, bytes = 0;
      for (const UnitWork& work : group.work) {
        (work.is_convolution ? macs : vector_ops) +=
            static_cast<double>(work.is_convolution ? work.macs : work.vector_ops);
        bytes += traffic_bytes(work, group.bits, group.bits);
      }
      double& rate = group.bits.count > 16 ? float_rate : code_rate;
      rate = std::max(rate, macs / group.seconds);
      vector_rate = std::max(vector_rate, macs > 0 ? 0 : vector_ops / group.seconds);
      bandwidth = std::max(bandwidth, bytes / group.seconds);
      shortest_s = std::min(shortest_s, group.seconds);
    }
    if (code_rate == 0) code_rate = 4 * float_rate;
    if (float_rate == 0) float_rate = code_rate / 4;
    Parameters logarithms{};
    const Parameters values{code_rate, float_rate, vector_rate, bandwidth, overhead_share * shortest_s};
    std::transform(values.begin(), values.end(), logarithms.begin(),
                   [](double value) { return std::clamp(std::log(value), -kFarthest, kFarthest); });
    return logarithms;
  }

  double loss(const Parameters& p) const {
    const RooflineModel model = model_of(p);
    double sum = 0;
    for (const MeasuredUnits& group : units_) {
      const double weight = 1 / static_cast<double>(units_.size()) + group.seconds / total_s_;
      sum += weight * huber(std::log(predicted_seconds(model, group) / group.seconds));
    }
    return sum / 2;
  }

  /// Hooke and Jeeves' pattern search: a step along each axis while it helps, then half the step.
  Parameters search(Parameters p) const {
    double least = loss(p);
    for (double step = kFirstStep; step > kLastStep;) {
      bool better = false;
      for (double& parameter : p) {
        for (const double change : {step, -step}) {
          parameter += change;
          const double found = std::abs(parameter) <= kFarthest ? loss(p) : least;
          if (found < least) {
            least = found;
            better = true;
            break;
          }
          parameter -= change;
        }
      }
      if (!better) step /= 2;
    }
    return p;
  }

  std::span<const MeasuredUnits> units_;
  double total_s_ = 0;
};

}  // namespace

double predicted_seconds(const RooflineModel& model, const MeasuredUnits& units) {
  double sum = 0;
  for (std::size_t i = 0; i < units.work.size(); ++i) {
    sum += seconds(model, {units.names[i], units.work[i], units.bits, units.bits, ComputeScaling::kNone});
  }
  return sum;
}

RooflineFit fit_roofline(std::span<const MeasuredUnits> units) {
  if (std::none_of(units.begin(), units.end(), has_macs)) {
    throw Error(ErrorKind::kInvalidInput, "no unit with multiply-accumulates was measured",
                "Profile a network with convolutions or matrix products.");
  }
  RooflineFit fit;
  fit.model = Fit(units).run();
  std::vector<double> errors;
  std::map<std::string, std::vector<double>> by_op;
  for (const MeasuredUnits& group : units) {
    errors.push_back(std::abs(predicted_seconds(fit.model, group) / group.seconds - 1));
    by_op[group.work[0].op].push_back(errors.back());
  }
  fit.median_relative_error = median(errors);
  for (auto& [op, list] : by_op) fit.op_error[op] = median(std::move(list));
  return fit;
}

}  // namespace cleave::cost
