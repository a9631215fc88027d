#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "exec/kernels/simd/kernels.h"
#include "exec/step.h"

namespace cleave::exec::fast {

constexpr std::int64_t kWinogradTile = 4;        ///< pixels of the result along each side of a tile
constexpr std::int64_t kWinogradPatch = 6;       ///< pixels it is computed from
constexpr std::int64_t kWinogradPositions = 36;  ///< kWinogradPatch^2: independent products

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Sizes of one convolution.
struct WinogradProblem {
  std::int64_t images;
  std::int64_t in_channels;
  std::int64_t out_channels;
  std::int64_t padded;  ///< out_channels up to a whole vector
  std::int64_t in_rows;
  std::int64_t in_columns;
  std::int64_t out_rows;
  std::int64_t out_columns;
  std::int64_t pad_top;
  std::int64_t pad_left;

  std::int64_t tile_rows() const { return ceil_div(out_rows, kWinogradTile); }
  std::int64_t tile_columns() const { return ceil_div(out_columns, kWinogradTile); }
  std::int64_t tiles() const { return images * tile_rows() * tile_columns(); }
  std::int64_t weights() const { return kWinogradPositions * in_channels * padded; }
};

/// What follows the sum: first(x), or last(first(x) + addend).
struct WinogradFinish {
  simd::Bounds first{false, 0, 0};
  simd::Bounds last{false, 0, 0};
  graph::TensorId addend = graph::TensorId::kNone;
};

/// The filters of a 3x3 convolution transformed for simd::ProductKernels, one packed matrix [in][out] per position;
/// shared with every program of the process that reads the same (WeightStore).
std::shared_ptr<const Tensor> winograd_filters(const WinogradProblem& problem, const Tensor& filters);

/// Tiles are worked on in blocks whose transformed values stay in the second-level cache.
struct WinogradBlocks {
  std::int64_t count;
  std::int64_t tiles;  ///< of the largest

  WinogradBlocks(const WinogradProblem& p, std::int64_t threads) {
    constexpr std::int64_t kFloats = 128 << 10;  // half of a second-level cache of 1 MiB
    constexpr std::int64_t kFewest = 24;         // tiles that make it worth to read all weights
    const std::int64_t fitting = std::max(kFewest, kFloats / (kWinogradPositions * (p.in_channels + p.padded)));
    count = ceil_div(ceil_div(p.tiles(), fitting), threads) * threads;
    count = std::min(count, p.tiles());
    tiles = ceil_div(p.tiles(), count);
  }
  std::int64_t floats(const WinogradProblem& p) const {
    return kWinogradPositions * tiles * (p.in_channels + p.padded);
  }
};

/// Transforms tiles, multiplies, transforms back, block by block.
class WinogradStep : public Step {
 public:
  /// `bias` is empty where there is none.
  WinogradStep(const WinogradProblem& problem, const WinogradFinish& finish, std::shared_ptr<const Tensor> filters,
               std::vector<float> bias, int threads);
  /// Scratch memory of all threads.
  std::int64_t scratch_bytes() const;
  /// All channels-last; `addend` may be kNone.
  void place(SlotId source, SlotId addend, SlotId target);
  void run(const RunContext& context) override;
  std::string describe() const override { return "winograd_4x3"; }

 private:
  /// First pixel of a tile in the result.
  struct Place {
    std::int64_t image;
    std::int64_t row;
    std::int64_t column;
  };
  Place place_of(std::int64_t tile) const;
  std::array<const float*, kWinogradPositions> pixels_of(const float* x, std::int64_t tile) const;
  simd::WinogradTarget target_of(const RunContext& context, std::int64_t tile) const;
  void run_block(const RunContext& context, std::int64_t first, std::int64_t last, float* scratch) const;

  WinogradProblem p_;
  WinogradFinish finish_;
  std::shared_ptr<const Tensor> filters_;
  std::vector<float> bias_;
  std::vector<float> outside_;  ///< a pixel of the padding
  int threads_;
  WinogradBlocks blocks_;
  SlotId source_ = SlotId::kNone;
  SlotId addend_ = SlotId::kNone;
  SlotId target_ = SlotId::kNone;
};

}  // namespace cleave::exec::fast
