#include "quant/distortion.h"

namespace cleave::quant {

double relative_mse(double mse, double mean_square) {
  return mean_square > 0 ? mse / mean_square : 0;
}

double mean_square(const Tensor& tensor) {
  double sum = 0;
  for (const float x : tensor.data<float>()) sum += double{x} * double{x};
  return tensor.elements() > 0 ? sum / static_cast<double>(tensor.elements()) : 0;
}

std::vector<DistortionRow> activation_distortion(const ActivationValues& seen, const std::vector<Bits>& bits,
                                                 ClipMethod method) {
  const double power = seen.values.mean_square();
  std::vector<DistortionRow> rows;
  for (const Bits width : bits) {
    rows.push_back({width, width.quantized() ? relative_mse(choose_activation(seen, width, method).mse, power) : 0});
  }
  return rows;
}

std::vector<DistortionRow> weight_distortion(const Tensor& weights, int axis, const std::vector<Bits>& bits,
                                             ClipMethod method) {
  const double power = mean_square(weights);
  std::vector<DistortionRow> rows;
  for (const Bits width : bits) {
    rows.push_back(
        {width, width.quantized() ? relative_mse(choose_weights(weights, axis, width, method).mse, power) : 0});
  }
  return rows;
}

}  // namespace cleave::quant
