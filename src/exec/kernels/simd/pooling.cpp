#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/rounding.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

constexpr int kCodes = 4 * kLanes;  ///< codes in a vector

template <typename Code>
struct CodeVector;
template <>
struct CodeVector<uint8_t> {
  typedef uint8_t Type __attribute__((vector_size(kCodes)));
};
template <>
struct CodeVector<int8_t> {
  typedef int8_t Type __attribute__((vector_size(kCodes)));
};

template <typename Code>
void max_of_rows(const Code* first, int64_t stride, int64_t rows, int64_t channels, Code* out) {
  using Vector = typename CodeVector<Code>::Type;
  int64_t c = 0;
  for (; c + kCodes <= channels; c += kCodes) {
    Vector best;
    __builtin_memcpy(&best, out + c, sizeof best);
    for (int64_t r = 0; r < rows; ++r) {
      Vector v;
      __builtin_memcpy(&v, first + r * stride + c, sizeof v);
      best = v > best ? v : best;
    }
    __builtin_memcpy(out + c, &best, sizeof best);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const Code* row = first + r * stride;
    for (int64_t i = c; i < channels; ++i) out[i] = row[i] > out[i] ? row[i] : out[i];
  }
}

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
void requantize_rows(const int32_t* sums, int64_t rows, int64_t channels, const float* scales, const int32_t* offsets,
                     const CodeRange& range, Code* out) {
  const RoundToCode code_of(range);
  for (int64_t r = 0; r < rows; ++r, sums += channels, out += channels) {
    for_each_vector(channels, [&](int64_t c, auto lanes) {
      const Int sum = load(sums + c, lanes) + load(offsets + c, lanes);
      store(out + c, code_of(to_float(sum) * load(scales + c, lanes)), lanes);
    });
  }
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
  kernels.max_of_rows = max_of_rows<Code>;
  kernels.add_up_rows = add_up_rows<Code>;
  kernels.requantize = requantize<Code>;
  kernels.requantize_rows = requantize_rows<Code>;
  kernels.interpolate = interpolate<Code>;
}

}  // namespace

void fill_pooling(KernelTable& table) {
  fill(table.u8);
  fill(table.s8);
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
