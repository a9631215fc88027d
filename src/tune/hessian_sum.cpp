#include "tune/hessian_sum.h"

#include <algorithm>

#include "core/check.h"

namespace cleave::tune {

HessianSum::HessianSum(const ColumnGeometry& geometry, int threads)
    : geometry_(geometry),
      products_(threads),
      sums_(static_cast<std::size_t>(geometry.groups * geometry.inputs() * geometry.inputs())) {}

void HessianSum::add(std::span<const float> samples) {
  const std::int64_t inputs = geometry_.inputs();
  products_.visit(geometry_, samples, [&](const ProductTile& tile) {
    double* const first = sums_.data() + (tile.group * inputs + tile.row) * inputs + tile.column;
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      for (std::int64_t c = 0; c < tile.columns; ++c) first[r * inputs + c] += tile.at(r, c);
    }
  });
  const std::int64_t count = static_cast<std::int64_t>(samples.size()) / geometry_.sample_elements();
  columns_ += count * geometry_.window.output_pixels();
}

void HessianSum::merge(const HessianSum& other) {
  CLEAVE_CHECK(other.sums_.size() == sums_.size(), "sums over one geometry");
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
  columns_ += other.columns_;
}

std::vector<double> HessianSum::hessian(std::int64_t group) const {
  const auto inputs = static_cast<std::size_t>(geometry_.inputs());
  const double* const sums = sums_.data() + static_cast<std::size_t>(group) * inputs * inputs;
  const double factor = columns_ > 0 ? 2.0 / static_cast<double>(columns_) : 0.0;
  std::vector<double> matrix(inputs * inputs);
  for (std::size_t r = 0; r < inputs; ++r) {
    for (std::size_t c = r; c < inputs; ++c) {
      matrix[r * inputs + c] = matrix[c * inputs + r] = factor * sums[r * inputs + c];
    }
  }
  return matrix;
}

}  // namespace cleave::tune
