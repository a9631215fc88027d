#pragma once

#include <optional>
#include <vector>

#include "exec/kernels/int8/convolution.h"
#include "exec/kernels/int8/float_rows.h"

namespace cleave::exec::int8 {

/// Convolutions whose output channel c sees only source channel c. So few products are added up that floats hold the
/// sums exactly, and a multiply-add of floats needs fewer instructions than any exact product of codes without VNNI.
///
/// For some channels at a time, output row after output row, from a ring of as many float rows as an output row sees:
/// they stay in L1. The source zero point stands in the bias.
class DepthwiseConvolution : public Convolution {
 public:
  /// True when no sum of products can reach 2^24, beyond which floats miss whole numbers.
  static bool is_exact(const ConvolutionShape& shape);

  /// Wants is_exact. keeper: as make_convolution has it.
  DepthwiseConvolution(const ConvolutionShape& shape, const Source& source, std::span<const std::int16_t> weights,
                       const Epilogue& epilogue, int threads, const simd::Int8Kernels& kernels,
                       const WeightKeeper& keeper);

  std::int64_t scratch_bytes() const override { return threads_ * buffer_bytes_; }
  void run(const void* source, void* out, std::byte* scratch) const override;

 private:
  std::int64_t taps() const { return geometry_.shape.kernel_height * geometry_.shape.kernel_width; }
  void make_units();
  std::string packing() const;
  PackedWeights packed(std::span<const std::int16_t> weights) const;
  void fold_zero_point(std::span<const std::int16_t> weights, std::int32_t zero_point);
  void cut_work();
  void run_row(simd::DepthwiseJob job, std::byte* target) const;
  void run_task(std::int64_t task, const void* source, void* out, std::byte* scratch) const;

  Geometry geometry_;
  const simd::Int8Kernels* kernels_;
  int threads_;
  FloatRows rows_;
  std::int64_t slots_;     ///< rows in the ring; buffer row r lies in slot r % slots_
  std::int64_t cell_ = 0;  ///< channels in the ring
  std::vector<Unit> units_;
  bool bias_last_ = false;  ///< some bias takes sums beyond 2^24
  std::int64_t ring_floats_ = 0;
  std::int64_t buffer_bytes_ = 0;
  std::shared_ptr<const PackedWeights> weights_;  ///< [strip][tap][lanes]
  std::optional<ChannelConstants> constants_;
};

}  // namespace cleave::exec::int8
