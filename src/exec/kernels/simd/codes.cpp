#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

/// Values before rounding, clamped so that the code lies in range: bounds are integers, so the order does not matter,
/// and the conversion to int32 cannot overflow.
struct Clamp {
  Float low;
  Float high;
  Int zero_point;
  explicit Clamp(const CodeRange& r)
      : low(splat(static_cast<float>(r.low - r.zero_point))),
        high(splat(static_cast<float>(r.high - r.zero_point))),
        zero_point(splat(r.zero_point)) {}
  Int operator()(Float x) const { return round(clamp(x, low, high)) + zero_point; }
};

template <typename Code>
void quantize(const float* x, int64_t n, float scale, const CodeRange& range, Code* codes) {
  const Clamp code_of(range);
  const Float divisor = splat(scale);
  for_each_vector(n, [&](int64_t i, auto lanes) { store(codes + i, code_of(load(x + i, lanes) / divisor), lanes); });
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
