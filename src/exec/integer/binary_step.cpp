#include "exec/integer/binary_step.h"

#include <algorithm>

namespace cleave::exec {
namespace {

template <CodeBinary::Function kFunction>
float combine(float a, float b) {
  if constexpr (kFunction == CodeBinary::Function::kAdd) return a + b;
  if constexpr (kFunction == CodeBinary::Function::kSubtract) return a - b;
  return a * b;
}

template <typename A, typename B, CodeBinary::Function kFunction>
void combine_run(const CodeBinary& call, const A* a, const B* b, std::uint8_t* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = combine<kFunction>(call.a.value(a[i]), call.b.value(b[i]));
    to[i] = static_cast<std::uint8_t>(call.to.code(value));
  }
}

template <typename A, typename B>
void combine_run(const CodeBinary& call, const A* a, const B* b, std::uint8_t* to, std::int64_t count) {
  switch (call.function) {
    case CodeBinary::Function::kAdd:
      return combine_run<A, B, CodeBinary::Function::kAdd>(call, a, b, to, count);
    case CodeBinary::Function::kSubtract:
      return combine_run<A, B, CodeBinary::Function::kSubtract>(call, a, b, to, count);
    case CodeBinary::Function::kMultiply:
      return combine_run<A, B, CodeBinary::Function::kMultiply>(call, a, b, to, count);
  }
}

template <typename A>
void combine_run(const CodeBinary& call, const A* a, const std::byte* b, std::uint8_t* to, std::int64_t count) {
  if (call.b.dtype == DType::kInt8) return combine_run(call, a, reinterpret_cast<const std::int8_t*>(b), to, count);
  combine_run(call, a, reinterpret_cast<const std::uint8_t*>(b), to, count);
}

void combine_run(const CodeBinary& call, const std::byte* a, const std::byte* b, std::uint8_t* to, std::int64_t count) {
  if (call.a.dtype == DType::kInt8) return combine_run(call, reinterpret_cast<const std::int8_t*>(a), b, to, count);
  combine_run(call, reinterpret_cast<const std::uint8_t*>(a), b, to, count);
}

constexpr std::int64_t kPiece = 16384;  // codes that one thread does at a time

}  // namespace

void CodeBinaryStep::run(const RunContext& context) {
  const std::byte* a = context.at(a_);
  const std::byte* b = context.at(b_);
  auto* to = reinterpret_cast<std::uint8_t*>(context.at(to_));
  const std::int64_t pieces_per_row = (call_.width + kPiece - 1) / kPiece;
  const std::int64_t rows_at_once = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, call_.width));
  const std::int64_t total_rows = call_.images * call_.rows;
  const std::int64_t blocks = (total_rows + rows_at_once - 1) / rows_at_once * pieces_per_row;
#pragma omp parallel for if (blocks > 2)
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t begin = block % pieces_per_row * kPiece;
    const std::int64_t count = std::min(kPiece, call_.width - begin);
    const std::int64_t first = block / pieces_per_row * rows_at_once;
    for (std::int64_t row = first; row < std::min(total_rows, first + rows_at_once); ++row) {
      const std::int64_t at = row * call_.width + begin;
      combine_run(call_, a + at, b + row / call_.rows * call_.b_image_stride + begin, to + at, count);
    }
  }
}

}  // namespace cleave::exec
