#include "tune/column_products.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::tune {

namespace {

constexpr std::int64_t kDepth = 256;            // positions per float sum
constexpr std::int64_t kTile = 96;              // entries per side: three panels at the widest instruction set
constexpr std::int64_t kMostEntries = 1 << 19;  // of the columns of a round, two copies of four bytes
constexpr std::int64_t kMostPositions = 16 * kDepth;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Room for one value of type T or more, not set to anything; grows and never shrinks.
template <typename T>
class Room {
 public:
  T* take(std::int64_t count) {
    if (count > size_) {
      values_ = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(count));
      size_ = count;
    }
    return values_.get();
  }

 private:
  std::unique_ptr<T[]> values_;
  std::int64_t size_ = 0;
};

}  // namespace

struct ColumnProducts::Rooms {
  Room<float> rows;
  Room<float> packed;
  std::vector<Room<float>> products;  ///< of a tile, one per worker
  std::vector<Room<double>> sums;
};

namespace {

/// The columns of one round, twice: as rows of `depth` positions, and packed into panels for ProductKernels.
/// Position blocks one after the other; in a block one group after the other.
class RoundOfColumns {
 public:
  RoundOfColumns(const ColumnGeometry& geometry, std::int64_t all_positions, Room<float>& rows, Room<float>& packed)
      : geometry_(geometry),
        kernels_(exec::simd::kernels().product),
        padded_(ceil_div(geometry.inputs(), kernels_.lanes) * kernels_.lanes) {
    const std::int64_t entries = padded_ * geometry.groups;
    positions_ = std::clamp(kMostEntries / entries / kDepth * kDepth, kDepth, kMostPositions);
    rows_ = rows.take(entries * std::min(positions_, all_positions));
    packed_ = packed.take(entries * std::min(positions_, all_positions));
  }

  std::int64_t positions() const { return positions_; }

  void fill(const float* samples, std::int64_t first, std::int64_t count, int threads) {
    count_ = count;
    const std::int64_t panels = ceil_div(padded_, panel_width());
    parallel_for(geometry_.groups * panels, threads, [&](std::int64_t task) {
      for (std::int64_t begin = 0; begin < count; begin += kDepth) {
        fill_panel(samples, task / panels, task % panels * panel_width(), first, begin);
      }
    });
  }

  /// The tile's products summed over the round, [rows][stride] with the stride a multiple of the lanes.
  void sum_products(const ProductTile& tile, float* products, double* sums) const {
    const std::int64_t size = tile.rows * tile.stride;
    std::fill(sums, sums + size, 0.0);
    for (std::int64_t begin = 0; begin < count_; begin += kDepth) {
      const std::int64_t depth = std::min(kDepth, count_ - begin);
      const std::int64_t block = place(tile.group, begin, depth);
      kernels_.multiply(rows_ + block + tile.row * depth, tile.rows, depth, packed_ + block + tile.column * depth,
                        tile.stride, products);
      for (std::int64_t i = 0; i < size; ++i) sums[i] += static_cast<double>(products[i]);
    }
  }

  std::int64_t stride_of(std::int64_t columns) const { return ceil_div(columns, kernels_.lanes) * kernels_.lanes; }

 private:
  std::int64_t panel_width() const { return 2 * kernels_.lanes; }
  std::int64_t place(std::int64_t group, std::int64_t begin, std::int64_t depth) const {
    return (begin * geometry_.groups + group * depth) * padded_;
  }

  /// Entries [row, row + panel) at the positions of one block.
  void fill_panel(const float* samples, std::int64_t group, std::int64_t row, std::int64_t first, std::int64_t begin) {
    const std::int64_t depth = std::min(kDepth, count_ - begin);
    const std::int64_t width = std::min(panel_width(), padded_ - row);
    const std::int64_t rows = std::min(width, geometry_.inputs() - row);
    float* const plain = rows_ + place(group, begin, depth) + row * depth;
    fill_columns(geometry_, samples, group, row, rows, first + begin, depth, plain);
    std::fill(plain + rows * depth, plain + width * depth, 0.0F);
    float* panel = packed_ + place(group, begin, depth) + row * depth;
    for (std::int64_t p = 0; p < depth; ++p) {
      for (std::int64_t r = 0; r < width; ++r) *panel++ = plain[r * depth + p];
    }
  }

  const ColumnGeometry& geometry_;
  const exec::simd::ProductKernels& kernels_;
  std::int64_t padded_;
  std::int64_t positions_ = 0;
  std::int64_t count_ = 0;
  float* rows_;
  float* packed_;
};

/// Every tile of the upper half, group by group.
std::vector<ProductTile> upper_tiles(const ColumnGeometry& geometry, const RoundOfColumns& round) {
  std::vector<ProductTile> tiles;
  const std::int64_t inputs = geometry.inputs();
  for (std::int64_t group = 0; group < geometry.groups; ++group) {
    for (std::int64_t row = 0; row < inputs; row += kTile) {
      for (std::int64_t column = row; column < inputs; column += kTile) {
        const std::int64_t columns = std::min(kTile, inputs - column);
        tiles.push_back(
            {group, row, std::min(kTile, inputs - row), column, columns, nullptr, round.stride_of(columns)});
      }
    }
  }
  return tiles;
}

constexpr std::uint32_t kMagnitude = 0x7FFFFFFFU;
constexpr std::uint32_t kInfinity = 0x7F800000U;

bool all_finite(std::span<const float> values) {
  std::uint32_t bad = 0;
  for (const float value : values) bad |= (std::bit_cast<std::uint32_t>(value) & kMagnitude) >= kInfinity ? 1U : 0U;
  return bad == 0;
}

}  // namespace

ColumnProducts::ColumnProducts(int threads) : threads_(thread_count(threads)), rooms_(std::make_unique<Rooms>()) {
  rooms_->products.resize(static_cast<std::size_t>(threads_));
  rooms_->sums.resize(static_cast<std::size_t>(threads_));
}
ColumnProducts::~ColumnProducts() = default;
ColumnProducts::ColumnProducts(ColumnProducts&&) noexcept = default;
ColumnProducts& ColumnProducts::operator=(ColumnProducts&&) noexcept = default;

void ColumnProducts::visit(const ColumnGeometry& geometry, std::span<const float> samples,
                           const std::function<void(const ProductTile&)>& fold) {
  CLEAVE_CHECK(static_cast<std::int64_t>(samples.size()) % geometry.sample_elements() == 0, "whole samples");
  if (all_finite(samples)) return visit_finite(geometry, samples, fold);
  std::vector<float> finite(samples.begin(), samples.end());
  for (float& value : finite) value = std::isfinite(value) ? value : 0.0F;
  visit_finite(geometry, finite, fold);
}

void ColumnProducts::visit_finite(const ColumnGeometry& geometry, std::span<const float> samples,
                                  const std::function<void(const ProductTile&)>& fold) {
  const std::int64_t count = static_cast<std::int64_t>(samples.size()) / geometry.sample_elements();
  const std::int64_t positions = count * geometry.window.output_pixels();
  RoundOfColumns round(geometry, positions, rooms_->rows, rooms_->packed);
  const std::vector<ProductTile> tiles = upper_tiles(geometry, round);
  const auto workers = std::min(tiles.size(), static_cast<std::size_t>(threads_));
  for (std::int64_t first = 0; first < positions; first += round.positions()) {
    round.fill(samples.data(), first, std::min(round.positions(), positions - first), threads_);
    parallel_for(static_cast<std::int64_t>(workers), threads_, [&](std::int64_t worker) {
      const auto own = static_cast<std::size_t>(worker);
      for (std::size_t i = own; i < tiles.size(); i += workers) {
        ProductTile tile = tiles[i];
        double* const sums = rooms_->sums[own].take(tile.rows * tile.stride);
        round.sum_products(tile, rooms_->products[own].take(tile.rows * tile.stride), sums);
        tile.values = sums;
        fold(tile);
      }
    });
  }
}

}  // namespace cleave::tune
