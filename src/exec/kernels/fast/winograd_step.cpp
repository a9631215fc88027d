#include "exec/kernels/fast/winograd_step.h"

#include <omp.h>

namespace cleave::exec::fast {

WinogradStep::WinogradStep(const WinogradProblem& problem, const WinogradFinish& finish,
                           std::shared_ptr<const Tensor> filters, std::vector<float> bias, int threads)
    : p_(problem),
      finish_(finish),
      filters_(std::move(filters)),
      bias_(std::move(bias)),
      outside_(static_cast<std::size_t>(problem.in_channels), 0.0f),
      threads_(threads),
      blocks_(problem, threads) {}

std::int64_t WinogradStep::scratch_bytes() const {
  return threads_ * blocks_.floats(p_) * static_cast<std::int64_t>(sizeof(float));
}

void WinogradStep::place(SlotId source, SlotId addend, SlotId target) {
  source_ = source;
  addend_ = addend;
  target_ = target;
}

void WinogradStep::run(const RunContext& context) {
  auto* scratch = reinterpret_cast<float*>(context.scratch);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_)
  for (std::int64_t block = 0; block < blocks_.count; ++block) {
    float* own = scratch + omp_get_thread_num() * blocks_.floats(p_);
    run_block(context, block * p_.tiles() / blocks_.count, (block + 1) * p_.tiles() / blocks_.count, own);
  }
}

void WinogradStep::run_block(const RunContext& context, std::int64_t first, std::int64_t last, float* scratch) const {
  const simd::KernelTable& kernels = simd::kernels();
  const std::int64_t tiles = last - first;
  const std::int64_t in_stride = tiles * p_.in_channels;
  const std::int64_t out_stride = tiles * p_.padded;
  float* transformed = scratch;
  float* products = scratch + kWinogradPositions * in_stride;
  const auto* x = reinterpret_cast<const float*>(context.at(source_));
  for (std::int64_t t = 0; t < tiles; ++t) {
    const auto pixels = pixels_of(x, first + t);
    kernels.winograd.transform_input(pixels.data(), p_.in_channels, transformed + t * p_.in_channels, in_stride);
  }
  const auto* weights = filters_->data<float>().data();
  for (std::int64_t i = 0; i < kWinogradPositions; ++i) {
    kernels.product.multiply(transformed + i * in_stride, tiles, p_.in_channels,
                             weights + i * p_.in_channels * p_.padded, p_.padded, products + i * out_stride);
  }
  for (std::int64_t t = 0; t < tiles; ++t) {
    kernels.winograd.transform_output(products + t * p_.padded, out_stride, p_.out_channels,
                                      target_of(context, first + t));
  }
}

WinogradStep::Place WinogradStep::place_of(std::int64_t tile) const {
  const std::int64_t row = tile / p_.tile_columns();
  return {row / p_.tile_rows(), row % p_.tile_rows() * kWinogradTile, tile % p_.tile_columns() * kWinogradTile};
}

std::array<const float*, kWinogradPositions> WinogradStep::pixels_of(const float* x, std::int64_t tile) const {
  const Place place = place_of(tile);
  std::array<const float*, kWinogradPositions> pixels;
  for (std::int64_t y = 0; y < kWinogradPatch; ++y) {
    const std::int64_t row = place.row + y - p_.pad_top;
    for (std::int64_t i = 0; i < kWinogradPatch; ++i) {
      const std::int64_t column = place.column + i - p_.pad_left;
      const bool inside = row >= 0 && row < p_.in_rows && column >= 0 && column < p_.in_columns;
      const std::int64_t pixel = (place.image * p_.in_rows + row) * p_.in_columns + column;
      pixels[static_cast<std::size_t>(y * kWinogradPatch + i)] = inside ? x + pixel * p_.in_channels : outside_.data();
    }
  }
  return pixels;
}

simd::WinogradTarget WinogradStep::target_of(const RunContext& context, std::int64_t tile) const {
  const Place place = place_of(tile);
  const std::int64_t pixel = (place.image * p_.out_rows + place.row) * p_.out_columns + place.column;
  const auto at = pixel * p_.out_channels;
  const float* addend = addend_ == SlotId::kNone ? nullptr : reinterpret_cast<const float*>(context.at(addend_)) + at;
  return {reinterpret_cast<float*>(context.at(target_)) + at,
          p_.out_columns * p_.out_channels,
          static_cast<int>(std::min(kWinogradTile, p_.out_rows - place.row)),
          static_cast<int>(std::min(kWinogradTile, p_.out_columns - place.column)),
          bias_.empty() ? nullptr : bias_.data(),
          addend,
          finish_.first,
          finish_.last};
}

}  // namespace cleave::exec::fast
