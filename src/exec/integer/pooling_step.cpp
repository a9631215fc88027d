#include "exec/integer/pooling_step.h"

#include <algorithm>
#include <array>

#include "exec/kernels/simd/kernels.h"

namespace cleave::exec {
namespace {

/// Taps of one output position along one axis that lie inside the input, and how many count.
struct Taps {
  std::int64_t first = 0;
  std::int64_t end = 0;
  std::int64_t counted = 0;
};

Taps taps_at(const Window& w, std::size_t axis, std::int64_t position, bool include_pad) {
  const std::int64_t origin = position * w.stride[axis] - w.pad_begin[axis];
  const std::int64_t step = w.dilation[axis];
  Taps taps;
  taps.first = origin >= 0 ? 0 : (-origin + step - 1) / step;
  const std::int64_t beyond = (w.input[axis] - origin + step - 1) / step;
  taps.end = std::clamp<std::int64_t>(beyond, taps.first, w.kernel[axis]);
  const std::int64_t padded = (w.input[axis] + w.pad_end[axis] - origin + step - 1) / step;
  taps.counted = include_pad ? std::min(w.kernel[axis], padded) : taps.end - taps.first;
  return taps;
}

constexpr std::int64_t kChannels = 256;  // accumulated at a time, on the stack

/// Sums of `width` channels over the taps of one output position.
template <typename Code>
void sum_window(const CodeAverage& call, const std::array<Taps, 3>& taps, const std::array<std::int64_t, 3>& origin,
                const Code* image, std::int64_t width, std::int32_t* sums) {
  const auto& kernels = simd::code_kernels<Code>(simd::kernels());
  const Window& w = call.window;
  std::fill_n(sums, width, 0);
  for (std::int64_t d = taps[0].first; d < taps[0].end; ++d) {
    for (std::int64_t h = taps[1].first; h < taps[1].end; ++h) {
      const std::int64_t line = (origin[0] + d * w.dilation[0]) * w.input[1] + origin[1] + h * w.dilation[1];
      const std::int64_t pixel = line * w.input[2] + origin[2] + taps[2].first * w.dilation[2];
      kernels.add_up_rows(image + pixel * call.channels, w.dilation[2] * call.channels, taps[2].end - taps[2].first,
                          width, sums);
    }
  }
}

template <typename Code>
void average(const CodeAverage& call, const Code* from, Code* to) {
  const Window& w = call.window;
  const std::int64_t blocks = (call.channels + kChannels - 1) / kChannels;
  const std::int64_t pixels = w.output_pixels();
  const std::int64_t jobs = call.images * pixels * blocks;
  const bool worthwhile = call.images * w.input_pixels() * call.channels > 65536;
#pragma omp parallel for if (worthwhile)
  for (std::int64_t job = 0; job < jobs; ++job) {
    const std::int64_t first = job % blocks * kChannels;
    const std::int64_t width = std::min(kChannels, call.channels - first);
    const std::int64_t pixel = job / blocks % pixels;
    const std::int64_t image = job / blocks / pixels;
    const std::array<std::int64_t, 3> at{pixel / (w.output[1] * w.output[2]), pixel / w.output[2] % w.output[1],
                                         pixel % w.output[2]};
    std::array<Taps, 3> taps;
    std::array<std::int64_t, 3> origin{};
    std::int64_t counted = 1;
    std::int64_t inside = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      taps[axis] = taps_at(w, axis, at[axis], call.include_pad);
      origin[axis] = at[axis] * w.stride[axis] - w.pad_begin[axis];
      counted *= taps[axis].counted;
      inside *= taps[axis].end - taps[axis].first;
    }
    std::array<std::int32_t, kChannels> sums;
    sum_window(call, taps, origin, from + image * w.input_pixels() * call.channels + first, width, sums.data());
    const auto offset = -static_cast<std::int32_t>(inside) * call.from.zero_point;
    const float scale = call.from.scale / (call.to.scale * static_cast<float>(counted));
    simd::code_kernels<Code>(simd::kernels())
        .requantize(sums.data(), width, scale, offset, {call.to.zero_point, call.to.low, call.to.high},
                    to + (image * pixels + pixel) * call.channels + first);
  }
}

}  // namespace

void CodeAverageStep::run(const RunContext& context) {
  const auto run_codes = [&](auto* to) { average(call_, reinterpret_cast<decltype(to)>(context.at(from_)), to); };
  if (call_.from.dtype == DType::kInt8) return run_codes(reinterpret_cast<std::int8_t*>(context.at(to_)));
  run_codes(reinterpret_cast<std::uint8_t*>(context.at(to_)));
}

}  // namespace cleave::exec
