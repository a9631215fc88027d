#pragma once

#include <cstdint>

namespace cleave::exec::simd {

struct CodeRange;

/// What becomes of an int32 sum of products.
enum class SumOutput {
  kInt32,  ///< sum
  kFloat,  ///< clamp((float(sum) + shift) * scale, low, high)
  kUint8,  ///< clamp(rint((float(sum) + shift) * scale) + zero_point, low, high)
  kInt8,
};

/// Sums of products over windows of a buffer, for `pixel_count` output pixels and `channels` output channels:
///
///     sum(p, c) = bias[c] + sum over taps t, i of source[pixels[p] + taps[t] + i] * weight(t, i, c)
///
/// Exact in int32 for |source|, |weight| <= 255 while the sum fits. Channels stand in strips of Int8Kernels::lanes.
struct WindowJob {
  const std::int16_t* source;  ///< codes minus zero point; see Int8Kernels for how they lie
  const std::int32_t* pixels;  ///< of each output pixel: where its window begins, in elements of source
  std::int64_t pixel_count;
  const std::int32_t* taps;  ///< of each tap: where it lies in the window, in elements of source
  std::int64_t tap_count;
  std::int64_t pairs;           ///< elements of a tap, in pairs (dense windows only)
  const std::int16_t* weights;  ///< [strip][tap][pair][lanes][2]
  const std::int32_t* bias;     ///< [strips * lanes]
  const float* shifts;          ///< [strips * lanes]
  const float* scales;          ///< [strips * lanes]
  std::int64_t channels;
  SumOutput type;
  std::int32_t zero_point;
  float low;                ///< bounds of the output: codes, or values for kFloat (there infinite for none)
  float high;               ///< unused for kInt32
  void* out;                ///< the first pixel's first channel
  std::int64_t out_stride;  ///< elements from an output pixel to the next
};

/// A row of pixels to be paired with another: strides in elements from a pixel to the next.
struct PairJob {
  std::int64_t pixels;
  std::int64_t channels;
  std::int64_t upper_stride;
  std::int64_t lower_stride;
  std::int64_t out_stride;
  std::int32_t zero_point;
};

/// Inner loops of integer convolutions and products for CPUs whose own 8-bit dot product does not exist or saturates:
/// codes are widened to int16 and multiplied in pairs, which is exact.
struct Int8Kernels {
  int lanes;  ///< channels in a strip
  /// Dense windows: a tap is a run of 2 * pairs elements of source. It may read beyond the last tap's last element by
  /// one (weights there are zero).
  void (*dense)(const WindowJob& job);
  /// Depthwise windows: channel c of pixel p sees only channel c of source, whose elements are pairs of int16 (two rows
  /// of the picture); offsets count pairs. Reads up to lanes - 1 pairs beyond the last channel.
  void (*depthwise)(const WindowJob& job);
  /// out[i] = codes[i] - zero_point
  void (*widen_u8)(const std::uint8_t* codes, std::int64_t n, std::int32_t zero_point, std::int16_t* out);
  void (*widen_s8)(const std::int8_t* codes, std::int64_t n, std::int32_t zero_point, std::int16_t* out);
  /// out[p * out_stride + c] = the pair (upper[p * upper_stride + c], lower[p * lower_stride + c]), each minus
  /// zero_point, for c < channels.
  void (*pair_rows_u8)(const PairJob& job, const std::uint8_t* upper, const std::uint8_t* lower, std::int32_t* out);
  void (*pair_rows_s8)(const PairJob& job, const std::int8_t* upper, const std::int8_t* lower, std::int32_t* out);
};

}  // namespace cleave::exec::simd
