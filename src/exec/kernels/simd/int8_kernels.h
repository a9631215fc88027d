#pragma once

#include <cstdint>

namespace cleave::exec::simd {

/// What becomes of an int32 sum of products.
enum class SumOutput {
  kInt32,  ///< sum
  kFloat,  ///< clamp((float(sum) + shift) * scale, low, high)
  kUint8,  ///< clamp(rint((float(sum) + shift) * scale) + zero_point, low, high)
  kInt8,
};

/// Where sums of a run of channels begin and end up. Arrays hold whole strips of Int8Kernels::lanes channels.
struct SumTarget {
  const std::int32_t* bias;
  const float* shifts;  ///< may be null for none
  const float* scales;  ///< may be null for kInt32
  std::int64_t channels;
  SumOutput type;
  std::int32_t zero_point;
  float low;                ///< bounds of the output: codes, or values for kFloat (there infinite for none)
  float high;               ///< unused for kInt32
  void* out;                ///< the first pixel's first channel
  std::int64_t out_stride;  ///< elements from an output pixel to the next
};

/// Sums of products over windows of a buffer, for `pixel_count` output pixels:
///
///     sum(p, c) = bias[c] + sum over taps t, i of source[pixels[p] + taps[t] + i] * weight(t, i, c)
///
/// Exact in int32 for |source|, |weight| <= 255 while the sum fits.
struct WindowJob {
  const std::int16_t* source;  ///< codes minus zero point
  const std::int32_t* pixels;  ///< of each output pixel: where its window begins, in elements of source
  std::int64_t pixel_count;
  const std::int32_t* taps;  ///< of each tap: where it lies in the window, in elements of source
  std::int64_t tap_count;
  std::int64_t pairs;           ///< elements of a tap, in pairs
  const std::int16_t* weights;  ///< [strip][tap][pair][lanes][2]
  SumTarget target;
};

/// The same where channel c of the output sees only channel c of the source, for a row of output pixels:
///
///     sum(p, c) = bias[c] + sum over y, x of source[p * pixel_stride + rows[y] + x * tap_stride + c] * weight(y, x, c)
///
/// Codes and weights are floats; exact while the products add up to less than 2^24, and with the bias too where it
/// does not come last.
struct DepthwiseJob {
  const float* source;
  std::int64_t pixel_stride;
  std::int64_t pixel_count;
  const std::int32_t* rows;
  std::int64_t row_count;
  std::int64_t row_taps;
  std::int64_t tap_stride;
  const float* weights;  ///< [strip][row][tap][lanes]
  bool bias_last;        ///< add it as int32
  SumTarget target;
};

/// `channels` elements of each of `pixels` pixels; strides in elements from a pixel to the next.
struct PixelRun {
  std::int64_t pixels;
  std::int64_t channels;
  std::int64_t stride;
  std::int64_t out_stride;
};

/// Where a tile of 2x2 output pixels goes; the last of a row or column may be cut.
struct TilePlace {
  std::int64_t pixel;  ///< of its upper left corner
  int rows;
  int columns;
};

/// Products of transformed tiles, to be transformed back.
struct WinogradSums {
  const std::int32_t* products;  ///< position i of tile t lies at (i * tiles + t) * channel_stride
  std::int64_t channel_stride;   ///< channels up to a whole strip
  std::int64_t tiles;
  const TilePlace* places;
  std::int64_t row_pixels;  ///< output pixels from a row to the next
  SumTarget target;         ///< `out` is pixel 0
};

/// Inner loops of integer convolutions and products for CPUs whose own 8-bit dot product does not exist or saturates:
/// codes are widened to int16 and multiplied in pairs, or to floats, and the sums are exact.
struct Int8Kernels {
  int lanes;  ///< channels in a strip
  /// A tap is a run of 2 * pairs elements of source. It may read beyond the last tap's last element by one (weights
  /// there are zero).
  void (*dense)(const WindowJob& job);
  /// Reads up to lanes - 1 elements beyond the last channel.
  void (*depthwise)(const DepthwiseJob& job);
  /// out[i] = codes[i] - zero_point
  void (*widen_u8)(const std::uint8_t* codes, std::int64_t n, std::int32_t zero_point, std::int16_t* out);
  void (*widen_s8)(const std::int8_t* codes, std::int64_t n, std::int32_t zero_point, std::int16_t* out);
  /// out[p * out_stride + c] = codes[p * stride + c] for c < channels.
  void (*to_floats_u8)(const PixelRun& run, const std::uint8_t* codes, float* out);
  void (*to_floats_s8)(const PixelRun& run, const std::int8_t* codes, float* out);
  /// Winograd's F(2x2, 3x3) in integers: B^T d B for the 4x4 pixels of a tile, each of `channels` codes. Position i
  /// lies at transformed + i * stride.
  void (*transform_u8)(const std::uint8_t* const* pixels, std::int64_t channels, std::int16_t* transformed,
                       std::int64_t stride);
  void (*transform_s8)(const std::int8_t* const* pixels, std::int64_t channels, std::int16_t* transformed,
                       std::int64_t stride);
  /// sum = bias + (A^T m A) / 4, the products m being those with filters 2 G g (2 G)^T.
  void (*winograd_sums)(const WinogradSums& job);
};

}  // namespace cleave::exec::simd
