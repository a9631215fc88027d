#include "exec/integer/binary_step.h"

#include <algorithm>

#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec {
namespace {

simd::PairOfCodes pair_of(const CodeBinary& call) {
  const float sign = call.function == CodeBinary::Function::kSubtract ? -1.0F : 1.0F;
  return {call.a.scale,      call.a.zero_point, sign * call.b.scale,
          call.b.zero_point, call.to.scale,     {call.to.zero_point, call.to.low, call.to.high}};
}

}  // namespace

template <typename Code>
void CodeBinaryStep::run_codes(const RunContext& context) const {
  const auto& kernels = simd::code_kernels<Code>(simd::kernels());
  const bool multiplies = call_.function == CodeBinary::Function::kMultiply;
  const simd::PairOfCodes pair = pair_of(call_);
  const auto* a = reinterpret_cast<const Code*>(context.at(a_));
  const auto* b = reinterpret_cast<const Code*>(context.at(b_));
  auto* to = reinterpret_cast<Code*>(context.at(to_));
  if (call_.rows == 1 && call_.images == 1) {
    return in_pieces(call_.width, 1, [&](std::int64_t begin, std::int64_t count) {
      (multiplies ? kernels.multiply : kernels.add)(a + begin, b + begin, count, pair, to + begin);
    });
  }
  for (std::int64_t image = 0; image < call_.images; ++image) {
    const std::int64_t first = image * call_.rows * call_.width;
    const Code* row = b + image * call_.b_image_stride;
    in_pieces(call_.rows, call_.width, [&](std::int64_t begin, std::int64_t count) {
      const std::int64_t at = first + begin * call_.width;
      (multiplies ? kernels.multiply_rows : kernels.add_to_rows)(a + at, row, count, call_.width, pair, to + at);
    });
  }
}

void CodeBinaryStep::run(const RunContext& context) {
  call_.a.dtype == DType::kInt8 ? run_codes<std::int8_t>(context) : run_codes<std::uint8_t>(context);
}

}  // namespace cleave::exec
