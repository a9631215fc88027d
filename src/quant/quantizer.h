#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "quant/bits.h"
#include "quant/rounding.h"

namespace cleave::quant {

/// A real interval that contains zero after normalisation.
struct Range {
  double lo = 0;
  double hi = 0;
};

/// Unsigned affine quantizer of an activation tensor (one for the whole tensor), ONNX semantics:
///
///     code(x) = clamp(rne(x / scale) + zero_point, 0, 2^bits - 1)      value(code) = (code - zero_point) * scale
///
/// rne: round half to even, done before the zero point is added. Zero is exact. Arithmetic in float32.
struct AffineQuantizer {
  float scale = 1;
  std::int32_t zero_point = 0;
  Bits bits{8};

  std::uint8_t code(float x) const {
    const auto zero = static_cast<float>(zero_point);
    const float top = static_cast<float>(bits.max_unsigned()) - zero;
    return static_cast<std::uint8_t>(static_cast<std::int32_t>(clamped_code(x / scale, -zero, top)) + zero_point);
  }
  float value(std::uint8_t code) const { return static_cast<float>(code - zero_point) * scale; }
  float fake(float x) const { return value(code(x)); }
  bool operator==(const AffineQuantizer&) const = default;
};

/// lo := min(lo, 0), hi := max(hi, 0), scale = (hi - lo) / (2^bits - 1), zero_point = clamp(rne(-lo / scale)).
/// A range so narrow that the scale is below the smallest normal float gives scale 1, zero point 0.
/// bits 1..8. Throws Error(kInvalidInput) when a bound is not finite.
AffineQuantizer affine_quantizer(const Range& range, Bits bits);

/// The integer grid of symmetric weights: full [-2^(b-1), 2^(b-1)-1] or narrow [-(2^(b-1)-1), 2^(b-1)-1].
struct WeightGrid {
  std::int32_t min_code;
  std::int32_t max_code;

  /// Full below 8 bits, narrow at 8: what cleave uses.
  static WeightGrid of(Bits bits);
  static WeightGrid full(Bits bits);
  static WeightGrid narrow(Bits bits);
  /// Codes per clip value: scale = clip / levels; 2^(b-1) on the full grid, 2^(b-1)-1 on the narrow one.
  std::int32_t levels() const { return -min_code; }
};

/// Symmetric per-channel quantizer of a weight tensor (zero point 0): code = clamp(rne(w / scale[c]), grid(c)).
struct WeightQuantizer {
  std::vector<float> scales;  ///< one per slice along `axis`; a dead channel has a floored scale (clip.h)
  int axis = 0;
  Bits bits{8};                         ///< the widest channel's
  std::vector<Bits> channel_bits = {};  ///< one per slice; empty: all have `bits`

  /// The grid of all channels where they have the same bits, else that of the widest.
  WeightGrid grid() const { return WeightGrid::of(bits); }
  WeightGrid grid(std::size_t channel) const {
    return WeightGrid::of(channel_bits.empty() ? bits : channel_bits[channel]);
  }
  bool operator==(const WeightQuantizer&) const = default;
};

/// A tensor as slices along an axis: element (o, c, i) stands at (o * channels + c) * inner + i.
struct ChannelLayout {
  std::int64_t outer;
  std::int64_t channels;
  std::int64_t inner;

  /// `axis` must be one of the shape's (checked).
  static ChannelLayout of(const Shape& shape, int axis);
  std::int64_t channel_elements() const { return outer * inner; }
};

/// int8 codes, same shape as `weights` (float32). The scale count must equal the size of the axis.
Tensor weight_codes(const Tensor& weights, const WeightQuantizer& quantizer);
/// codes * scale, float32.
Tensor dequantize_weights(const Tensor& codes, const WeightQuantizer& quantizer);

}  // namespace cleave::quant
