#pragma once

#include <cstdint>

#include "exec/kernels/simd/int8_kernels.h"
#include "exec/kernels/simd/isa.h"

/// Inner loops on plain memory, compiled once per instruction set and chosen at run time. They know no tensors and
/// start no threads: a caller splits its work into ranges. Pointers need no alignment, ranges may have any length, and
/// an output may be the input itself where both have elements of one size.
///
/// A code q stands for the value (q - zero_point) * scale. Codes are rounded half to even; every instruction set gives
/// the same codes. A value that is not a number becomes the lowest code.
namespace cleave::exec::simd {

/// Where codes of a tensor lie: q in [low, high], which must fit the code's type, as zero_point must.
struct CodeRange {
  std::int32_t zero_point;
  std::int32_t low;
  std::int32_t high;
};

/// Two tensors of codes and the one computed from them; value = (code - zero_point) * scale.
struct PairOfCodes {
  float scale_a;
  std::int32_t zero_point_a;
  float scale_b;
  std::int32_t zero_point_b;
  float scale_out;
  CodeRange out;
};

/// A weighted sum of four codes: clamp(rint(factor * sum_k weights[k] * (q_k - zero_point)) + out.zero_point, ...).
struct Interpolation {
  float weights[4];
  std::int32_t zero_point;
  float factor;  ///< scale of the codes read / scale of the codes written
  CodeRange out;
};

/// Kernels on codes of one type, uint8_t or int8_t.
///
/// "rows" of a channels-last tensor: [rows][channels] with one parameter per channel.
template <typename Code>
struct CodeKernels {
  /// codes[i] = clamp(rint(x[i] / scale) + zero_point, low, high)
  void (*quantize)(const float* x, std::int64_t n, float scale, const CodeRange& range, Code* codes);
  /// x[i] = (codes[i] - zero_point) * scale
  void (*dequantize)(const Code* codes, std::int64_t n, float scale, std::int32_t zero_point, float* x);

  /// out[i] = clamp(rint((A + B) / scale_out) + zero_point, low, high) with A, B the values of a[i], b[i]: what
  /// DequantizeLinear, Add, QuantizeLinear give, bit for bit. (With a constant scalar b, use `lookup`.)
  void (*add)(const Code* a, const Code* b, std::int64_t n, const PairOfCodes& codes, Code* out);
  /// The same with A * B.
  void (*multiply)(const Code* a, const Code* b, std::int64_t n, const PairOfCodes& codes, Code* out);
  /// The same with b[channels] for every row of a.
  void (*add_to_rows)(const Code* a, const Code* b, std::int64_t rows, std::int64_t channels, const PairOfCodes& codes,
                      Code* out);
  void (*multiply_rows)(const Code* a, const Code* b, std::int64_t rows, std::int64_t channels,
                        const PairOfCodes& codes, Code* out);

  /// sums[c] += sum over r of first[r * stride + c], r < rows: one row of a pooling window.
  void (*add_up_rows)(const Code* first, std::int64_t stride, std::int64_t rows, std::int64_t channels,
                      std::int32_t* sums);
  /// out[i] = clamp(rint(float(sums[i] + offset) * scale) + zero_point, low, high)
  void (*requantize)(const std::int32_t* sums, std::int64_t n, float scale, std::int32_t offset, const CodeRange& range,
                     Code* out);
  /// out[i] from corners[0][i] .. corners[3][i]: a pixel of a bilinear Resize.
  void (*interpolate)(const Code* const corners[4], std::int64_t n, const Interpolation& interpolation, Code* out);
};

/// Kernels on floats. Not-a-number stays so. Sums are taken in an order that depends on n alone.
struct FloatKernels {
  /// y[i] = exp(x[i] - max(x)) / sum_j exp(x[j] - max(x)); n > 0. Relative error below 1e-6, that of the
  /// float difference x[i] - max(x) apart.
  void (*softmax)(const float* x, std::int64_t n, float* y);
  /// y[i] = clamp(x[i] * scale + shift, low, high); infinite bounds for none.
  void (*scale_shift)(const float* x, std::int64_t n, float scale, float shift, float low, float high, float* y);
  /// The same with scale and shift of each channel: BatchNormalization and Relu of a channels-last tensor.
  void (*scale_shift_rows)(const float* x, std::int64_t rows, std::int64_t channels, const float* scales,
                           const float* shifts, float low, float high, float* y);
  /// y[i] = x[i] < 0 ? slope * x[i] : x[i]; slopes are finite.
  void (*prelu)(const float* x, std::int64_t n, float slope, float* y);
  void (*prelu_rows)(const float* x, std::int64_t rows, std::int64_t channels, const float* slopes, float* y);
  /// y[i] = sum_k weights[k] * corners[k][i]
  void (*interpolate)(const float* const corners[4], const float weights[4], std::int64_t n, float* y);
  /// y[i] = x[i] / (1 + exp(-x[i])) of finite values, error below 1e-6 of the larger of |y[i]| and 1.
  void (*silu)(const float* x, std::int64_t n, float* y);
  /// y[i] = (q - zero_point) * scale, q the code of x[i]: what QuantizeLinear, Clip and DequantizeLinear give, bit for
  /// bit. Not-a-number becomes the value of the lowest code.
  void (*round_to_grid)(const float* x, std::int64_t n, float scale, const CodeRange& range, float* y);
  /// y[i] = x[i] rounded to float16: to the nearest, half to even; beyond 65504 to infinity.
  void (*round_to_half)(const float* x, std::int64_t n, float* y);
  /// y[i] = clamp(rne(x[i] / step), low, high) * step; whole bounds within +-2^22.
  void (*round_to_steps)(const float* x, std::int64_t n, float step, float low, float high, float* y);
};

/// What `channels` interleaved rows of values hold, each found for itself; NaN is passed over. All four are of one
/// entry per channel.
struct RowBounds {
  float* low;           ///< least value; +infinity where there is none
  float* high;          ///< greatest value; -infinity where there is none
  float* zero_or_nan;   ///< 0 where all values are finite, else NaN
  std::int32_t* zeros;  ///< how many values are +0 or -0
};

/// Values whose magnitude is above a threshold, found on the way; in no particular order.
struct Tail {
  float threshold;     ///< +infinity: none are wanted
  float* values;       ///< room for every value looked at, and for 16 more
  std::int64_t count;  ///< how many lie there already; counted on
};

/// Bounds of values in one pass; any order gives the same.
struct BoundsKernels {
  /// Of channel c the values x[i * stride + c], i < count.
  void (*of_rows)(const float* x, std::int64_t count, std::int64_t stride, std::int64_t channels,
                  const RowBounds& bounds, Tail& tail);
  /// Of channel c the values x[c * count + i], i < count.
  void (*of_runs)(const float* x, std::int64_t count, std::int64_t channels, const RowBounds& bounds, Tail& tail);
};

/// Bounds that values are clamped to.
struct Bounds {
  bool clamps;
  float low;
  float high;
};

/// Products with a matrix that lies packed: panels of 2 * lanes columns, and one of `lanes` where no more are left; a
/// panel lies [depth][its columns], at depth * its first column.
struct ProductKernels {
  int lanes;
  /// y[rows][columns] = x[rows][depth] w[depth][columns]; columns must be a multiple of `lanes`. Every element is
  /// summed in the order of depth.
  void (*multiply)(const float* x, std::int64_t rows, std::int64_t depth, const float* packed, std::int64_t columns,
                   float* y);
};

/// The points of F(4x4, 3x3) beside 0 and infinity are +-sqrt(1/2) and +-sqrt(2): smaller rounding errors than +-1,
/// +-2.
constexpr float kWinogradNear = 0.70710678F;
constexpr float kWinogradFar = 1.41421356F;

/// Where a tile of up to 4x4 pixels goes: channels-last, pixels of a row lie side by side.
/// y = last(first(x + bias) + addend), without `last` where there is no addend.
struct WinogradTarget {
  float* y;
  std::int64_t row_stride;  ///< floats
  int rows;
  int columns;
  const float* bias;    ///< may be null
  const float* addend;  ///< lies as y does; may be null
  Bounds first;
  Bounds last;
};

/// The transforms around the products of Winograd's convolution F(4x4, 3x3) (Lavin & Gray, arXiv 1509.09308):
///     Y = A^T [sum_c (G g_c G^T) . (B^T d_c B)] A
struct WinogradKernels {
  /// pixels: 6x6 pointers to `channels` floats each; position i of the result lies at transformed + i * stride.
  void (*transform_input)(const float* const* pixels, std::int64_t channels, float* transformed, std::int64_t stride);
  /// Position i of the products lies at products + i * stride and can be read up to the next multiple of `lanes`.
  void (*transform_output)(const float* products, std::int64_t stride, std::int64_t channels,
                           const WinogradTarget& target);
};

/// Loops that keep the arithmetic units busy and nothing else, to measure what the machine can do.
struct PeakLoops {
  /// Runs `rounds` rounds of float multiply-adds and returns how many floating-point operations that was.
  double (*float_multiply_add)(std::int64_t rounds);
  /// The same for dot products of 8-bit codes as convolutions of this instruction set compute them; integer operations.
  double (*code_dot_product)(std::int64_t rounds);
};

/// Every kernel, for one instruction set.
struct KernelTable {
  CodeKernels<std::uint8_t> u8;
  CodeKernels<std::int8_t> s8;
  FloatKernels f32;
  BoundsKernels bounds;
  Int8Kernels int8;
  /// out[i] = table[in[i]]: any function of one code (of int8 codes too: index by the bit pattern).
  void (*lookup)(const std::uint8_t* in, std::int64_t n, const std::uint8_t table[256], std::uint8_t* out);
  ProductKernels product;
  WinogradKernels winograd;
  PeakLoops peak;
};

/// The kernels of an instruction set that best_isa() includes.
const KernelTable& kernels(Isa isa);
/// The kernels of best_isa().
const KernelTable& kernels();

/// Kernels on codes of type Code in a table.
template <typename Code>
const CodeKernels<Code>& code_kernels(const KernelTable& table);
template <>
inline const CodeKernels<std::uint8_t>& code_kernels(const KernelTable& table) {
  return table.u8;
}
template <>
inline const CodeKernels<std::int8_t>& code_kernels(const KernelTable& table) {
  return table.s8;
}

}  // namespace cleave::exec::simd
