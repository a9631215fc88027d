#include "exec/integer/resize_step.h"

#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec {
namespace {

/// The two taps at one output position; with one tap the second has weight 0.
struct TapPair {
  std::int64_t index[2];
  float weight[2];
};

TapPair taps_at(const AxisResampling& axis, std::int64_t position) {
  const std::size_t first = static_cast<std::size_t>(position) * axis.taps;
  const std::size_t second = axis.taps == 2 ? first + 1 : first;
  return {{axis.indices[first], axis.indices[second]},
          {axis.taps == 2 ? axis.weights[first] : 1.0F, axis.taps == 2 ? axis.weights[second] : 0.0F}};
}

}  // namespace

template <typename Code>
void CodeResizeStep::run_codes(const Code* from, Code* to) const {
  const auto& kernels = simd::code_kernels<Code>(simd::kernels());
  const CodeResize& c = call_;
  const std::int64_t row_codes = c.columns.output * c.channels;
  in_pieces(c.images * c.rows.output, row_codes, [&](std::int64_t begin, std::int64_t count) {
    for (std::int64_t row = begin; row < begin + count; ++row) {
      const Code* image = from + row / c.rows.output * c.rows.input * c.columns.input * c.channels;
      const TapPair y = taps_at(c.rows, row % c.rows.output);
      Code* out = to + row * row_codes;
      for (std::int64_t column = 0; column < c.columns.output; ++column, out += c.channels) {
        const TapPair x = taps_at(c.columns, column);
        const Code* corners[4];
        simd::Interpolation mix{};
        for (int k = 0; k < 4; ++k) {
          corners[k] = image + (y.index[k / 2] * c.columns.input + x.index[k % 2]) * c.channels;
          mix.weights[k] = y.weight[k / 2] * x.weight[k % 2];
        }
        mix.zero_point = c.from.zero_point;
        mix.factor = c.from.scale / c.to.scale;
        mix.out = {c.to.zero_point, c.to.low, c.to.high};
        kernels.interpolate(corners, c.channels, mix, out);
      }
    }
  });
}

void CodeResizeStep::run(const RunContext& context) {
  const auto resize = [&](auto* to) { run_codes(reinterpret_cast<decltype(to)>(context.at(from_)), to); };
  if (call_.from.dtype == DType::kInt8) return resize(reinterpret_cast<std::int8_t*>(context.at(to_)));
  resize(reinterpret_cast<std::uint8_t*>(context.at(to_)));
}

}  // namespace cleave::exec
