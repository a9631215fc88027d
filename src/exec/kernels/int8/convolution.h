#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exec/kernels/int8/geometry.h"
#include "exec/kernels/int8/source_buffer.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::int8 {

/// 8-bit codes, channels last, [batch][height][width][channels].
struct Source {
  bool is_signed = false;  ///< int8, else uint8
  std::int32_t zero_point = 0;
};

/// What becomes of the exact sums S = bias + sum of (source code - source zero point) * weight.
struct Epilogue {
  simd::SumOutput type = simd::SumOutput::kInt32;
  std::vector<std::int32_t> bias;  ///< per output channel, on the grid source scale * weight scale; empty: 0
  std::vector<float> shifts;       ///< a bias that is not on that grid, in units of it; empty: 0. Not for kInt32
  /// Per output channel: source scale * weight scale / output scale; for kFloat without the last.
  std::vector<float> scales;
  std::int32_t zero_point = 0;  ///< of the codes written
  float low = 0;                ///< bounds of the output: of codes, an activation that clips included, or of kFloat's
  float high = 0;               ///< values (infinite for none)
};

/// Weights as the inner loops of an instruction set read them.
using PackedWeights = std::vector<std::int16_t>;
using WeightPacker = std::function<std::shared_ptr<const PackedWeights>()>;
/// Returns what `pack` makes, or what it made earlier: equal texts and weights give equal packed weights.
using WeightKeeper =
    std::function<std::shared_ptr<const PackedWeights>(const std::string& packing, const WeightPacker& pack)>;

/// A 2-D convolution of 8-bit codes with constant weights and exact int32 sums on every CPU. Meant for CPUs without
/// VNNI: oneDNN's kernels saturate there unless the source is unsigned and every |weight| <= 64.
///
/// Source codes are widened to int16 band by band (SourceBuffer) and multiplied in pairs with packed weights. Matrix
/// products (product_shape), 1x1 windows of any stride, groups, dilation and depthwise windows are all served.
/// Sums of K products fit for K <= 2^31 / 255^2 = 33 000.
///
/// Immutable after construction; `run` may be called at the same time with different scratch.
class Convolution {
 public:
  /// weights: ONNX's [out_channels][channels / groups][kernel_height][kernel_width] (for a product: [N][K]), codes
  /// minus their zero point, so in [-255, 255]. threads: how many `run` uses at most. keeper: shares packed weights
  /// with other convolutions; empty: they are this one's own. Cost: O(weights).
  Convolution(const ConvolutionShape& shape, const Source& source, std::span<const std::int16_t> weights,
              const Epilogue& epilogue, int threads, simd::Isa isa = simd::best_isa(), const WeightKeeper& keeper = {});

  Convolution(const Convolution&) = delete;  // job_ points into the object
  Convolution& operator=(const Convolution&) = delete;

  /// Bytes that `run` needs as scratch, aligned to 4.
  std::int64_t scratch_bytes() const { return threads_ * buffer_bytes_; }

  /// out: [batch][out_height][out_width][out_channels] of the epilogue's type. The same for any number of threads.
  void run(const void* source, void* out, std::byte* scratch) const;

 private:
  /// Output channels that are computed by one call of an inner loop; in one group.
  struct Unit {
    std::int64_t first;
    std::int64_t channels;
    std::int64_t source_channel;  ///< the first that they see
    std::int64_t strip;           ///< of the packed weights, bias and scales
  };

  bool one_run_per_kernel_row() const;
  void make_units(std::int64_t unit_channels);
  void make_taps();
  std::int64_t weight_index(std::int64_t channel, std::int64_t tap, std::int64_t i) const;
  std::int64_t strips() const;
  std::string packing() const;
  void pack_strip(std::span<const std::int16_t> weights, std::int64_t first, std::int64_t end, std::int16_t* out) const;
  PackedWeights packed(std::span<const std::int16_t> weights) const;
  void spread(const Epilogue& epilogue);
  void cut_work();
  void run_task(std::int64_t task, const void* source, void* out, std::byte* scratch) const;

  Geometry geometry_;
  Source source_;
  const simd::Int8Kernels* kernels_;
  bool depthwise_;
  int threads_;
  std::int64_t cell_;  ///< elements of the source buffer per pixel
  std::int64_t run_;   ///< elements of a tap
  std::vector<Unit> units_;
  std::int64_t parts_ = 1;  ///< tasks that share a band: each computes some of the units
  std::optional<SourceBuffer> buffer_;
  std::int64_t buffer_bytes_ = 0;
  std::int64_t strip_weights_ = 0;  ///< int16 in a strip
  std::shared_ptr<const PackedWeights> weights_;
  std::vector<std::int32_t> bias_;
  std::vector<float> shifts_;
  std::vector<float> scales_;
  std::vector<std::int32_t> taps_;
  std::vector<std::int32_t> pixels_;
  simd::WindowJob job_{};  ///< what all calls share
};

}  // namespace cleave::exec::int8
