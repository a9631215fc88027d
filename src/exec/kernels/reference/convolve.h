#pragma once

#include <array>
#include <cstdint>

#include "exec/kernels/kernel.h"
#include "exec/kernels/window.h"

namespace cleave::exec::reference {

/// y[n][oc] += sum over ic of x[n][first + ic] * weights[oc][ic], ONNX's Conv with groups. All plain.
///
/// w   the window of x to y (pooling_window).
/// y   holds what is added to (the bias).
/// Outputs are independent: the sum of each runs in one order for any thread count.
template <typename T>
void convolve(const Window& w, const Shape& in, const Shape& out, std::int64_t groups, const T* x, const T* weights,
              T* y);

extern template void convolve<float>(const Window&, const Shape&, const Shape&, std::int64_t, const float*,
                                     const float*, float*);
extern template void convolve<double>(const Window&, const Shape&, const Shape&, std::int64_t, const double*,
                                      const double*, double*);
extern template void convolve<std::uint32_t>(const Window&, const Shape&, const Shape&, std::int64_t,
                                             const std::uint32_t*, const std::uint32_t*, std::uint32_t*);

}  // namespace cleave::exec::reference
