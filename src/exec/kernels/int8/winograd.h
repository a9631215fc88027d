#pragma once

#include <array>
#include <optional>
#include <vector>

#include "exec/kernels/int8/convolution.h"

namespace cleave::exec::int8 {

constexpr std::int64_t kWinogradPositions = 16;  ///< 4x4: independent products

/// 3x3 convolutions of stride 1 by Winograd's F(2x2, 3x3) (Lavin & Gray, arXiv 1509.09308), in integers: with filters
/// 2 G g (2 G)^T every value is whole and the sums come out four times too large, exactly.
///
///     4 Y = A^T [sum_c (2 G g_c (2 G)^T) . (B^T d_c B)] A        2.25 products instead of 1
///
/// Transformed codes are at most 4 * 255, transformed filters at most 9 * 255: both are int16, multiplied in pairs of
/// channels.
class WinogradConvolution : public Convolution {
 public:
  /// True when the sums fit into int32 and less work is to be done than by DenseConvolution.
  static bool is_better(const ConvolutionShape& shape, std::span<const std::int16_t> weights);

  /// Wants is_better. keeper: as make_convolution has it.
  WinogradConvolution(const ConvolutionShape& shape, const Source& source, std::span<const std::int16_t> weights,
                      const Epilogue& epilogue, int threads, const simd::Int8Kernels& kernels,
                      const WeightKeeper& keeper);

  std::int64_t scratch_bytes() const override { return threads_ * buffer_bytes_; }
  void run(const void* source, void* out, std::byte* scratch) const override;

 private:
  /// First pixel of a tile in the result.
  struct Place {
    std::int64_t picture;
    std::int64_t row;
    std::int64_t column;
  };
  std::int64_t tile_columns() const { return (shape_.out_width + 1) / 2; }
  std::int64_t tile_rows() const { return (shape_.out_height + 1) / 2; }
  std::int64_t tiles() const { return shape_.batch * tile_rows() * tile_columns(); }
  std::string packing() const;
  PackedWeights packed(std::span<const std::int16_t> weights) const;
  void fold_zero_point(std::span<const std::int16_t> weights);
  void cut_work();
  Place place_of(std::int64_t tile) const;
  void transform(const void* source, std::int64_t tile, std::int16_t* transformed, std::int64_t stride) const;
  void multiply(const std::int16_t* transformed, std::int64_t count, std::int32_t* products) const;
  void run_block(std::int64_t first, std::int64_t count, const void* source, void* out, std::byte* scratch) const;

  ConvolutionShape shape_;
  Source source_;
  const simd::Int8Kernels* kernels_;
  int threads_;
  std::int64_t padded_;                           ///< output channels up to whole strips
  std::shared_ptr<const PackedWeights> weights_;  ///< [position][strip][pair of channels][lanes][2]
  std::vector<std::int32_t> no_bias_;
  std::optional<ChannelConstants> constants_;
  Unit all_channels_;
  std::vector<std::uint8_t> padding_;  ///< a pixel of zero points
  std::vector<std::int32_t> pixels_;   ///< where tiles begin in the transformed source
  std::int64_t blocks_ = 1;
  std::int64_t block_tiles_ = 0;  ///< of the largest
  std::int64_t buffer_bytes_ = 0;
};

}  // namespace cleave::exec::int8
