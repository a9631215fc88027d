#pragma once

#include <optional>
#include <vector>

#include "exec/kernels/int8/convolution.h"

namespace cleave::exec::int8 {

/// Convolutions whose outputs see more than one channel. The source is widened band by band (SourceBuffer).
class DenseConvolution : public Convolution {
 public:
  DenseConvolution(const ConvolutionShape& shape, const Source& source, std::span<const std::int16_t> weights,
                   const Epilogue& epilogue, int threads, const simd::Int8Kernels& kernels, const WeightKeeper& keeper);

  std::int64_t scratch_bytes() const override { return threads_ * buffer_bytes_; }
  void run(const void* source, void* out, std::byte* scratch) const override;

 private:
  bool one_run_per_kernel_row() const;
  std::int64_t weight_index(std::int64_t channel, std::int64_t tap, std::int64_t i) const;
  void make_units();
  void make_taps();
  void pack_strip(std::span<const std::int16_t> weights, std::int64_t first, std::int64_t end, std::int16_t* out) const;
  std::string packing() const;
  PackedWeights packed(std::span<const std::int16_t> weights) const;
  void cut_work();
  void run_task(std::int64_t task, const void* source, void* out, std::byte* scratch) const;

  Geometry geometry_;
  const simd::Int8Kernels* kernels_;
  int threads_;
  std::int64_t run_;  ///< elements of a tap
  std::vector<Unit> units_;
  std::int64_t parts_ = 1;  ///< tasks that share a band: each computes some of the units
  SourceBuffer buffer_;
  std::int64_t buffer_bytes_ = 0;
  std::int64_t strip_weights_ = 0;  ///< int16 in a strip
  std::shared_ptr<const PackedWeights> weights_;
  std::optional<ChannelConstants> constants_;
  std::vector<std::int32_t> taps_;
  std::vector<std::int32_t> pixels_;
};

}  // namespace cleave::exec::int8
