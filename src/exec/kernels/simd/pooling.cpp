#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/rounding.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

template <typename Code>
void add_up_rows(const Code* first, int64_t stride, int64_t rows, int64_t channels, int32_t* sums) {
  for_each_vector(channels, [&](int64_t c, auto lanes) {
    Int sum = load(sums + c, lanes);
    for (int64_t r = 0; r < rows; ++r) sum += load(first + r * stride + c, lanes);
    store(sums + c, sum, lanes);
  });
}

template <typename Code>
void requantize(const int32_t* sums, int64_t n, float scale, int32_t offset, const CodeRange& range, Code* out) {
  const RoundToCode code_of(range);
  const Float factor = splat(scale);
  const Int addend = splat(offset);
  for_each_vector(n, [&](int64_t i, auto lanes) {
    store(out + i, code_of(to_float(load(sums + i, lanes) + addend) * factor), lanes);
  });
}

template <typename Code>
void interpolate(const Code* const corners[4], int64_t n, const Interpolation& p, Code* out) {
  const RoundToCode code_of(p.out);
  const Int zero_point = splat(p.zero_point);
  const Float factor = splat(p.factor);
  const auto weighted = [&](int k, int64_t i, auto lanes) {
    return splat(p.weights[k]) * to_float(load(corners[k] + i, lanes) - zero_point);
  };
  for_each_vector(n, [&](int64_t i, auto lanes) {
    const Float sum = weighted(0, i, lanes) + weighted(1, i, lanes) + weighted(2, i, lanes) + weighted(3, i, lanes);
    store(out + i, code_of(sum * factor), lanes);
  });
}

template <typename Code>
void fill(CodeKernels<Code>& kernels) {
  kernels.add_up_rows = add_up_rows<Code>;
  kernels.requantize = requantize<Code>;
  kernels.interpolate = interpolate<Code>;
}

}  // namespace

void fill_pooling(KernelTable& table) {
  fill(table.u8);
  fill(table.s8);
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
