#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/rounding.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

template <typename Code>
void quantize(const float* x, int64_t n, float scale, const CodeRange& range, Code* codes) {
  const RoundToCode code_of(range);
  const CodeWriter writer(range.zero_point, range.low, range.high);
  const Float divisor = splat(scale);
  const auto value = [&](int64_t at) { return load(x + at, Full{}) / divisor; };
  int64_t whole = 0;
  for (; whole + 4 * kLanes <= n; whole += 4 * kLanes) {
    writer.four(codes + whole, codes + whole + 2 * kLanes, value(whole), value(whole + kLanes),
                value(whole + 2 * kLanes), value(whole + 3 * kLanes));
  }
  x += whole;
  codes += whole;
  for_each_vector(n - whole,
                  [&](int64_t i, auto lanes) { store(codes + i, code_of(load(x + i, lanes) / divisor), lanes); });
}

template <typename Code>
void dequantize(const Code* codes, int64_t n, float scale, int32_t zero_point, float* x) {
  const Float factor = splat(scale);
  const Int zero = splat(zero_point);
  for_each_vector(
      n, [&](int64_t i, auto lanes) { store(x + i, to_float(load(codes + i, lanes) - zero) * factor, lanes); });
}

template <typename Code>
void fill(CodeKernels<Code>& kernels) {
  kernels.quantize = quantize<Code>;
  kernels.dequantize = dequantize<Code>;
}

}  // namespace

void fill_codes(KernelTable& table) {
  fill(table.u8);
  fill(table.s8);
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
