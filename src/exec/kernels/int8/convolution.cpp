#include "exec/kernels/int8/convolution.h"

#include "core/check.h"
#include "exec/kernels/int8/dense.h"
#include "exec/kernels/int8/depthwise.h"
#include "exec/kernels/int8/winograd.h"

namespace cleave::exec::int8 {

std::unique_ptr<Convolution> make_convolution(const ConvolutionShape& s, const Source& source,
                                              std::span<const std::int16_t> weights, const Epilogue& epilogue,
                                              int threads, simd::Isa isa, const WeightKeeper& keeper) {
  CLEAVE_CHECK(static_cast<std::int64_t>(weights.size()) ==
                   s.out_channels * (s.channels / s.groups) * s.kernel_height * s.kernel_width,
               "one weight per output channel, source channel of its group and place in the kernel");
  const simd::Int8Kernels& kernels = simd::kernels(isa).int8;
  if (s.is_depthwise() && DepthwiseConvolution::is_exact(s)) {
    return std::make_unique<DepthwiseConvolution>(s, source, weights, epilogue, threads, kernels, keeper);
  }
  if (WinogradConvolution::is_better(s, weights)) {
    return std::make_unique<WinogradConvolution>(s, source, weights, epilogue, threads, kernels, keeper);
  }
  return std::make_unique<DenseConvolution>(s, source, weights, epilogue, threads, kernels, keeper);
}

}  // namespace cleave::exec::int8
