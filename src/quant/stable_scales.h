#pragma once

#include "quant/quantizer.h"

namespace cleave::quant {

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
/// which is at least 1 / 2^(m+1) away from every integer. m is the smallest with r 2^m >= 512 and p is rounded down, so
/// s_w only grows, by less than 1/256: nothing more is clipped, and the error power grows by 0.02 dB on average. The
/// distance is u / 2 for m = 0 and at least s_y / 2048 otherwise; float32 rounding errors are smaller by an order of
/// magnitude (measured on real networks: codes begin to differ where the distance falls below s_y / 30000).
///
/// A LeakyRelu behind moves the boundaries below zero to (k + 1/2) r / slope. With slope = n / (2^h d), n and d odd,
/// that is odd / (n 2^(m+1-h)), a whole number when m < h: with the usual slope of 1/10 and m = 0, exact ties, which
/// every runtime's rounding errors decide in their own way. So m is at least h.
///
/// negative_slope   of the LeakyRelu between sums and codes; 1 where there is none
///
/// Returns `weights` with s_w = s_y 2^m / (s_x p). Channels so small that r 2^h > 2^15 stay: they hardly move the
/// output. Cost O(channels).
WeightQuantizer stable_scales(WeightQuantizer weights, const AffineQuantizer& input, const AffineQuantizer& output,
                              float negative_slope = 1);

}  // namespace cleave::quant
