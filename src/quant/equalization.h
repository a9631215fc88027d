#pragma once

#include <span>
#include <vector>

namespace cleave::quant {

/// Cross-layer equalisation of two layers:
///
///     s_i = sqrt(r1_i r2_i) / r2_i        W1[i] /= s_i, b1[i] /= s_i, W2[:, i] *= s_i
///
/// after which channel i has the largest weight sqrt(r1_i r2_i) on both sides. It changes nothing that lies behind,
/// wherever the function in between is positively homogeneous (none, Relu, PRelu; not a Clip with an upper bound).
///
/// first, second   r1_i = max|W1[i]| and r2_i = max|W2[:, i]|, one per channel (checked).
/// Returns s. A channel without weights on one side keeps 1.
/// Source: Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, section 4.1.
std::vector<double> pair_equalizers(std::span<const double> first, std::span<const double> second);

/// The same of three layers, the middle one depthwise: all get the largest weight r = (r1_i r2_i r3_i)^(1/3).
///
///     s12_i = r1_i / r, s23_i = r / r3_i     W1[i] /= s12_i, W2[i] *= s12_i / s23_i, W3[:, i] *= s23_i
struct TripleEqualizers {
  std::vector<double> first;   ///< s12: between the first two
  std::vector<double> second;  ///< s23: between the last two
};
TripleEqualizers triple_equalizers(std::span<const double> first, std::span<const double> middle,
                                   std::span<const double> last);

}  // namespace cleave::quant
