#pragma once

#include <limits>

namespace cleave::quant {

/// E[clamp(x, 0, top)] for x normal with the given mean and deviation >= 0: what a Relu (top infinite) or Relu6 passes
/// on. With g = deviation, m = mean, a = (0 - m) / g, b = (top - m) / g and the standard normal's density phi and
/// distribution Phi:
///
///     g (phi(a) - phi(b)) + m (Phi(b) - Phi(a)) + top (1 - Phi(b))
///
/// Source: Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019.
double clipped_normal_mean(double mean, double deviation, double top = std::numeric_limits<double>::infinity());

}  // namespace cleave::quant
