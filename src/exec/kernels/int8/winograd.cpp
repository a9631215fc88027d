#include "exec/kernels/int8/winograd.h"

#include <omp.h>

#include <algorithm>
#include <cstdlib>

namespace cleave::exec::int8 {
namespace {

constexpr std::int64_t kPatch = 4;                ///< pixels of the source along each side of a tile
constexpr std::int64_t kTile = 2;                 ///< of the result
constexpr std::int64_t kCacheBytes = 256 * 1024;  ///< of a block of tiles: stays in L2
constexpr std::int64_t kLineBytes = 64;
constexpr std::int64_t kLargestCode = 4 * 255;  ///< transformed

using Filter = std::array<std::int32_t, kWinogradPositions>;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// 2 G g for one column: G's rows are (1, 0, 0), (1, 1, 1) / 2, (1, -1, 1) / 2, (0, 0, 1).
std::array<std::int32_t, kPatch> transform_column(std::int32_t a, std::int32_t b, std::int32_t c) {
  return {2 * a, a + b + c, a - b + c, 2 * c};
}

/// 2 G g (2 G)^T
Filter transform_filter(const std::int16_t* g) {
  std::array<std::array<std::int32_t, kPatch>, 3> columns{};  // [column][row]
  for (std::size_t x = 0; x < 3; ++x) columns[x] = transform_column(g[x], g[3 + x], g[6 + x]);
  Filter filter{};
  for (std::size_t y = 0; y < kPatch; ++y) {
    const auto row = transform_column(columns[0][y], columns[1][y], columns[2][y]);
    std::copy(row.begin(), row.end(), filter.begin() + static_cast<std::ptrdiff_t>(y * kPatch));
  }
  return filter;
}

bool is_3x3_of_stride_1(const ConvolutionShape& s) {
  return s.kernel_height == 3 && s.kernel_width == 3 && s.stride_height == 1 && s.stride_width == 1 &&
         s.dilation_height == 1 && s.dilation_width == 1 && s.groups == 1;
}

/// Compares products and the transforms counted as such.
bool saves_work(const ConvolutionShape& s) {
  constexpr std::int64_t kTransform = 250;        // per tile and channel; measured
  constexpr std::int64_t kStream = 8;             // per weight, read from memory
  constexpr std::int64_t kMostWeights = 4 << 20;  // 8 MiB of int16
  const std::int64_t weights = s.channels * s.out_channels;
  const std::int64_t tiles = s.batch * divide_up(s.out_height, kTile) * divide_up(s.out_width, kTile);
  const std::int64_t direct = s.batch * s.out_height * s.out_width * 9 * weights;
  const std::int64_t ours = tiles * (kWinogradPositions * weights + kTransform * (s.channels + s.out_channels)) +
                            (kWinogradPositions - 9) * kStream * weights;
  return kWinogradPositions * weights <= kMostWeights && s.channels >= 8 && s.out_channels >= 8 &&
         10 * ours < 9 * direct;
}

/// No sum of products can leave int32.
bool sums_fit(const ConvolutionShape& s, std::span<const std::int16_t> weights) {
  constexpr std::int64_t kBeyond = std::int64_t{1} << 31;
  for (std::int64_t n = 0; n < s.out_channels; ++n) {
    std::array<std::int64_t, kWinogradPositions> sums{};
    for (std::int64_t c = 0; c < s.channels; ++c) {
      const Filter filter = transform_filter(&weights[(n * s.channels + c) * 9]);
      for (std::size_t i = 0; i < filter.size(); ++i) sums[i] += std::abs(filter[i]);
    }
    for (const std::int64_t sum : sums) {
      if (sum * kLargestCode >= kBeyond) return false;
    }
  }
  return true;
}

}  // namespace

bool WinogradConvolution::is_better(const ConvolutionShape& shape, std::span<const std::int16_t> weights) {
  return is_3x3_of_stride_1(shape) && saves_work(shape) && sums_fit(shape, weights);
}

WinogradConvolution::WinogradConvolution(const ConvolutionShape& shape, const Source& source,
                                         std::span<const std::int16_t> weights, const Epilogue& epilogue, int threads,
                                         const simd::Int8Kernels& kernels, const WeightKeeper& keeper)
    : shape_(shape),
      source_(source),
      kernels_(&kernels),
      threads_(threads),
      padded_(divide_up(shape.out_channels, kernels.lanes) * kernels.lanes),
      no_bias_(padded_, 0),
      all_channels_{0, shape.out_channels, 0, 0},
      padding_(shape.channels, static_cast<std::uint8_t>(source.zero_point)) {
  constants_.emplace(epilogue, std::vector<Unit>{all_channels_}, kernels.lanes);
  const WeightPacker pack = [&] { return std::make_shared<const PackedWeights>(packed(weights)); };
  weights_ = keeper ? keeper(packing(), pack) : pack();
  fold_zero_point(weights);
  cut_work();
}

std::string WinogradConvolution::packing() const {
  return "winograd " + std::to_string(kernels_->lanes) + ' ' + std::to_string(shape_.channels) + ' ' +
         std::to_string(shape_.out_channels);
}

PackedWeights WinogradConvolution::packed(std::span<const std::int16_t> weights) const {
  const std::int64_t lanes = kernels_->lanes;
  const std::int64_t pairs = divide_up(shape_.channels, 2);
  PackedWeights result;
  result.words.resize(kWinogradPositions * padded_ * pairs * 2);
  for (std::int64_t n = 0; n < shape_.out_channels; ++n) {
    for (std::int64_t c = 0; c < shape_.channels; ++c) {
      const Filter filter = transform_filter(&weights[(n * shape_.channels + c) * 9]);
      for (std::int64_t i = 0; i < kWinogradPositions; ++i) {
        const std::int64_t strip = i * (padded_ / lanes) + n / lanes;
        result.words[((strip * pairs + c / 2) * lanes + n % lanes) * 2 + c % 2] = static_cast<std::int16_t>(filter[i]);
      }
    }
  }
  return result;
}

/// Padding holds the zero point, so that it shifts every sum alike.
void WinogradConvolution::fold_zero_point(std::span<const std::int16_t> weights) {
  const std::int64_t of_channel = shape_.channels * 9;
  for (std::int64_t n = 0; n < shape_.out_channels; ++n) {
    std::int32_t sum = 0;
    for (std::int64_t i = 0; i < of_channel; ++i) sum += weights[n * of_channel + i];
    constants_->bias_of(all_channels_)[n] -= source_.zero_point * sum;
  }
}

/// Blocks of tiles that fit into the cache or, where the weights do not, are as large as these: each block reads them.
void WinogradConvolution::cut_work() {
  const std::int64_t tile_bytes = kWinogradPositions * (shape_.channels * 2 + padded_ * 4);
  const std::int64_t weight_bytes = static_cast<std::int64_t>(weights_->words.size()) * 2;
  const std::int64_t fitting = std::max(kCacheBytes, weight_bytes) / tile_bytes + 1;
  blocks_ = std::min(tiles(), divide_up(divide_up(tiles(), fitting), threads_) * threads_);
  block_tiles_ = divide_up(tiles(), blocks_);
  for (std::int64_t t = 0; t < block_tiles_; ++t) pixels_.push_back(static_cast<std::int32_t>(t * shape_.channels));
  const std::int64_t bytes = block_tiles_ * (tile_bytes + static_cast<std::int64_t>(sizeof(simd::TilePlace)));
  buffer_bytes_ = divide_up(bytes, kLineBytes) * kLineBytes + 2 * kLineBytes;
}

void WinogradConvolution::run(const void* source, void* out, std::byte* scratch) const {
#pragma omp parallel for num_threads(threads_) schedule(static) if (blocks_ > 1)
  for (std::int64_t block = 0; block < blocks_; ++block) {
    const std::int64_t first = block * tiles() / blocks_;
    const std::int64_t end = (block + 1) * tiles() / blocks_;
    run_block(first, end - first, source, out, scratch + omp_get_thread_num() * buffer_bytes_);
  }
}

void WinogradConvolution::run_block(std::int64_t first, std::int64_t count, const void* source, void* out,
                                    std::byte* scratch) const {
  auto* places = reinterpret_cast<simd::TilePlace*>(scratch);
  const std::int64_t place_bytes = count * static_cast<std::int64_t>(sizeof(simd::TilePlace));
  std::byte* buffer = scratch + divide_up(place_bytes, kLineBytes) * kLineBytes;
  auto* products = reinterpret_cast<std::int32_t*>(buffer);
  auto* transformed = reinterpret_cast<std::int16_t*>(products + kWinogradPositions * count * padded_);
  for (std::int64_t t = 0; t < count; ++t) {
    transform(source, first + t, transformed + t * shape_.channels, count * shape_.channels);
    const Place place = place_of(first + t);
    places[t] = {(place.picture * shape_.out_height + place.row) * shape_.out_width + place.column,
                 static_cast<int>(std::min(kTile, shape_.out_height - place.row)),
                 static_cast<int>(std::min(kTile, shape_.out_width - place.column))};
  }
  multiply(transformed, count, products);
  simd::WinogradSums sums{products, padded_, count, places, shape_.out_width, constants_->target(all_channels_)};
  sums.target.out = out;
  sums.target.out_stride = shape_.out_channels;
  kernels_->winograd_sums(sums);
}

void WinogradConvolution::multiply(const std::int16_t* transformed, std::int64_t count, std::int32_t* products) const {
  const std::int64_t pairs = divide_up(shape_.channels, 2);
  const std::int32_t tap = 0;
  for (std::int64_t i = 0; i < kWinogradPositions; ++i) {
    simd::WindowJob job{transformed + i * count * shape_.channels,
                        pixels_.data(),
                        count,
                        &tap,
                        1,
                        pairs,
                        weights_->words.data() + i * padded_ * pairs * 2,
                        {}};
    job.target.bias = no_bias_.data();
    job.target.channels = padded_;
    job.target.type = simd::SumOutput::kInt32;
    job.target.out = products + i * count * padded_;
    job.target.out_stride = padded_;
    kernels_->dense(job);
  }
}

WinogradConvolution::Place WinogradConvolution::place_of(std::int64_t tile) const {
  const std::int64_t row = tile / tile_columns();
  return {row / tile_rows(), row % tile_rows() * kTile, tile % tile_columns() * kTile};
}

void WinogradConvolution::transform(const void* source, std::int64_t tile, std::int16_t* transformed,
                                    std::int64_t stride) const {
  const ConvolutionShape& s = shape_;
  const Place place = place_of(tile);
  const auto* codes = static_cast<const std::uint8_t*>(source);
  std::array<const std::uint8_t*, kWinogradPositions> pixels{};
  for (std::int64_t y = 0; y < kPatch; ++y) {
    const std::int64_t row = place.row + y - s.pad_top;
    for (std::int64_t x = 0; x < kPatch; ++x) {
      const std::int64_t column = place.column + x - s.pad_left;
      const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
      const std::int64_t pixel = (place.picture * s.height + row) * s.width + column;
      pixels[static_cast<std::size_t>(y * kPatch + x)] = inside ? codes + pixel * s.channels : padding_.data();
    }
  }
  if (source_.is_signed) {
    std::array<const std::int8_t*, kWinogradPositions> as_signed{};
    for (std::size_t i = 0; i < pixels.size(); ++i) as_signed[i] = reinterpret_cast<const std::int8_t*>(pixels[i]);
    kernels_->transform_s8(as_signed.data(), s.channels, transformed, stride);
  } else {
    kernels_->transform_u8(pixels.data(), s.channels, transformed, stride);
  }
}

}  // namespace cleave::exec::int8
