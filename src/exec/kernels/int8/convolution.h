#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/kernels/int8/channel_constants.h"
#include "exec/kernels/int8/geometry.h"
#include "exec/kernels/int8/source_buffer.h"

namespace cleave::exec::int8 {

/// Weights as the inner loops of an instruction set read them.
struct PackedWeights {
  std::vector<std::int16_t> words;
  std::vector<float> floats;  ///< of depthwise windows, instead
};
using WeightPacker = std::function<std::shared_ptr<const PackedWeights>()>;
/// Returns what `pack` makes, or what it made earlier: equal texts and weights give equal packed weights.
using WeightKeeper =
    std::function<std::shared_ptr<const PackedWeights>(const std::string& packing, const WeightPacker& pack)>;

/// A 2-D convolution of 8-bit codes with constant weights and exact int32 sums on every CPU. Meant for CPUs without
/// VNNI: oneDNN's kernels saturate there unless the source is unsigned and every |weight| <= 64.
///
/// Codes are widened to int16 and multiplied in pairs with packed weights. Matrix products (product_shape), 1x1 windows
/// of any stride, groups, dilation and depthwise windows are all served. Sums of K products fit for
/// K <= 2^31 / 255^2 = 33 000.
///
/// Immutable after construction; `run` may be called at the same time with different scratch.
class Convolution {
 public:
  virtual ~Convolution() = default;
  /// Bytes that `run` needs as scratch, aligned to 8.
  virtual std::int64_t scratch_bytes() const = 0;
  /// out: [batch][out_height][out_width][out_channels] of the epilogue's type. The same for any number of threads.
  virtual void run(const void* source, void* out, std::byte* scratch) const = 0;
};

/// weights: ONNX's [out_channels][channels / groups][kernel_height][kernel_width] (for a product: [N][K]), codes minus
/// their zero point, so in [-255, 255]. threads: how many `run` uses at most. keeper: shares packed weights with other
/// convolutions; empty: they are this one's own. Cost: O(weights).
std::unique_ptr<Convolution> make_convolution(const ConvolutionShape& shape, const Source& source,
                                              std::span<const std::int16_t> weights, const Epilogue& epilogue,
                                              int threads, simd::Isa isa = simd::best_isa(),
                                              const WeightKeeper& keeper = {});

}  // namespace cleave::exec::int8
