#pragma once

#include "quant/quantizer.h"

namespace cleave::bundle {

/// Weight scales moved a little, so that the codes of a convolution or matrix product are the same in every runtime.
///
/// Behind quantized inputs and weights, an output channel takes the values u (A + B) only: u = s_x s_w, A the integer
/// accumulator, B the integer bias. Its code changes at (k + 1/2) s_y. Runtimes sum in different orders, and where a
/// value lies as near to such a boundary as their float32 rounding errors, their codes differ by one; through a deep
/// network a few such differences grow to percents. With r = s_y / u, boundaries lie at (k + 1/2) r in units of u.
/// Choose
///
///     r = p / 2^m, p odd:     (k + 1/2) r = (2k + 1) p / 2^(m+1) = odd / 2^(m+1),
///
/// which is at least 1 / 2^(m+1) away from every integer. m is the smallest with r 2^m >= 64; s_w then changes by less
/// than 1/64, and the distance is at least s_y / 256 or u / 2, far above rounding errors (about 1e-7 of the
/// accumulator).
///
/// Returns `weights` with s_w = s_y 2^m / (s_x p). Channels so small that r > 2^20 stay: they hardly move the output.
/// Cost O(channels).
quant::WeightQuantizer stable_scales(quant::WeightQuantizer weights, const quant::AffineQuantizer& input,
                                     const quant::AffineQuantizer& output);

}  // namespace cleave::bundle
