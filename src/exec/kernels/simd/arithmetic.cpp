#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/rounding.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

struct Plus {
  Float operator()(Float a, Float b) const { return a + b; }
};
struct Times {
  Float operator()(Float a, Float b) const { return a * b; }
};

/// A PairOfCodes in vectors.
struct Pair {
  Float scale_a;
  Int zero_point_a;
  Float scale_b;
  Int zero_point_b;
  Float scale_out;
  RoundToCode code_of;
  CodeWriter writer;
  explicit Pair(const PairOfCodes& p)
      : scale_a(splat(p.scale_a)),
        zero_point_a(splat(p.zero_point_a)),
        scale_b(splat(p.scale_b)),
        zero_point_b(splat(p.zero_point_b)),
        scale_out(splat(p.scale_out)),
        code_of(p.out),
        writer(p.out.zero_point, p.out.low, p.out.high) {}
};

template <typename Operation, typename Code, typename Lanes>
inline Float combined(const Code* a, const Code* b, const Pair& pair, Lanes lanes) {
  const Float x = to_float(load(a, lanes) - pair.zero_point_a) * pair.scale_a;
  const Float y = to_float(load(b, lanes) - pair.zero_point_b) * pair.scale_b;
  return Operation()(x, y) / pair.scale_out;
}

template <typename Operation, typename Code>
inline void combine_run(const Code* a, const Code* b, int64_t n, const Pair& pair, Code* out) {
  int64_t whole = 0;
  for (; whole + 2 * kLanes <= n; whole += 2 * kLanes) {
    const Float first = combined<Operation>(a + whole, b + whole, pair, Full{});
    pair.writer.two(out + whole, first, combined<Operation>(a + whole + kLanes, b + whole + kLanes, pair, Full{}));
  }
  for_each_vector(n - whole, [&](int64_t i, auto lanes) {
    const int64_t at = whole + i;
    store(out + at, pair.code_of(combined<Operation>(a + at, b + at, pair, lanes)), lanes);
  });
}

template <typename Operation, typename Code>
void combine(const Code* a, const Code* b, int64_t n, const PairOfCodes& codes, Code* out) {
  combine_run<Operation>(a, b, n, Pair(codes), out);
}

template <typename Operation, typename Code>
void combine_rows(const Code* a, const Code* b, int64_t rows, int64_t channels, const PairOfCodes& codes, Code* out) {
  const Pair pair(codes);
  for (int64_t r = 0; r < rows; ++r) combine_run<Operation>(a + r * channels, b, channels, pair, out + r * channels);
}

template <typename Code>
void fill(CodeKernels<Code>& kernels) {
  kernels.add = combine<Plus, Code>;
  kernels.multiply = combine<Times, Code>;
  kernels.add_to_rows = combine_rows<Plus, Code>;
  kernels.multiply_rows = combine_rows<Times, Code>;
}

}  // namespace

void fill_arithmetic(KernelTable& table) {
  fill(table.u8);
  fill(table.s8);
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
