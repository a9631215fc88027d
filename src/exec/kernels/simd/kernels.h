#pragma once

#include <cstdint>

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

/// Kernels on codes of one type, uint8_t or int8_t.
template <typename Code>
struct CodeKernels {
  /// codes[i] = clamp(rint(x[i] / scale) + zero_point, low, high)
  void (*quantize)(const float* x, std::int64_t n, float scale, const CodeRange& range, Code* codes);
  /// x[i] = (codes[i] - zero_point) * scale
  void (*dequantize)(const Code* codes, std::int64_t n, float scale, std::int32_t zero_point, float* x);
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
