#include "tune/target_sum.h"

#include <Eigen/Core>
#include <algorithm>

#include "core/check.h"
#include "core/parallel.h"

namespace cleave::tune {

namespace {

using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using DoubleMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t kPositions = 512;  // per product
constexpr std::int64_t kEntries = 256;    // of a column, per task

std::int64_t positions(const ColumnGeometry& geometry, std::span<const float> targets, std::int64_t rows) {
  const auto count = static_cast<std::int64_t>(targets.size()) / rows;
  CLEAVE_CHECK(count * rows == static_cast<std::int64_t>(targets.size()), "targets for every channel and position");
  CLEAVE_CHECK(geometry.inputs() > 0, "columns have entries");
  return count;
}

/// A matrix product's samples are its rows: positions come first there.
bool positions_come_first(const ColumnGeometry& geometry) {
  return geometry.window.output_pixels() == 1 && geometry.window.input_pixels() == 1;
}

}  // namespace

TargetSum::TargetSum(const ColumnGeometry& geometry, std::int64_t rows, int threads)
    : geometry_(geometry),
      rows_(rows),
      threads_(threads),
      products_(static_cast<std::size_t>(rows * geometry.inputs())),
      inputs_(static_cast<std::size_t>(geometry.groups * geometry.inputs())),
      targets_(static_cast<std::size_t>(rows)) {}

void TargetSum::add(std::span<const float> input, std::span<const float> targets) {
  const std::int64_t count = positions(geometry_, targets, rows_);
  std::vector<float> by_row(targets.begin(), targets.end());
  if (positions_come_first(geometry_) && count > 1) {
    const Eigen::Map<const FloatMatrix> given(targets.data(), count, rows_);
    Eigen::Map<FloatMatrix>(by_row.data(), rows_, count) = given.transpose();
  }
  for (std::int64_t r = 0; r < rows_; ++r) {
    double sum = 0;
    for (std::int64_t p = 0; p < count; ++p)
      sum += static_cast<double>(by_row[static_cast<std::size_t>(r * count + p)]);
    targets_[static_cast<std::size_t>(r)] += sum;
  }
  for (std::int64_t group = 0; group < geometry_.groups; ++group) add_group(group, input, by_row);
  columns_ += count;
}

void TargetSum::add_group(std::int64_t group, std::span<const float> input, const std::vector<float>& targets) {
  const std::int64_t k = geometry_.inputs();
  const std::int64_t rows = rows_ / geometry_.groups;
  const auto count = static_cast<std::int64_t>(targets.size()) / rows_;
  const Eigen::Map<const FloatMatrix> y(targets.data() + group * rows * count, rows, count);
  Eigen::Map<DoubleMatrix> products(products_.data() + group * rows * k, rows, k);
  const std::int64_t tasks = (k + kEntries - 1) / kEntries;
  parallel_for(tasks, tasks > 1 ? threads_ : 1, [&](std::int64_t task) {
    const std::int64_t first = task * kEntries;
    const std::int64_t entries = std::min(kEntries, k - first);
    FloatMatrix x(entries, std::min(kPositions, count));
    for (std::int64_t p = 0; p < count; p += kPositions) {
      const std::int64_t some = std::min(kPositions, count - p);
      x.resize(entries, some);
      fill_columns(geometry_, input.data(), group, first, entries, p, some, x.data());
      const FloatMatrix product = y.middleCols(p, some) * x.transpose();
      products.middleCols(first, entries) += product.cast<double>();
      for (std::int64_t e = 0; e < entries; ++e) {
        inputs_[static_cast<std::size_t>(group * k + first + e)] += x.row(e).cast<double>().sum();
      }
    }
  });
}

std::vector<double> TargetSum::mean_products(std::int64_t group) const {
  const std::int64_t size = rows_ / geometry_.groups * geometry_.inputs();
  std::vector<double> mean(products_.begin() + group * size, products_.begin() + (group + 1) * size);
  for (double& x : mean) x /= static_cast<double>(std::max<std::int64_t>(1, columns_));
  return mean;
}

std::vector<double> TargetSum::mean_inputs(std::int64_t group) const {
  const std::int64_t k = geometry_.inputs();
  std::vector<double> mean(inputs_.begin() + group * k, inputs_.begin() + (group + 1) * k);
  for (double& x : mean) x /= static_cast<double>(std::max<std::int64_t>(1, columns_));
  return mean;
}

std::vector<double> TargetSum::mean_targets() const {
  std::vector<double> mean = targets_;
  for (double& y : mean) y /= static_cast<double>(std::max<std::int64_t>(1, columns_));
  return mean;
}

}  // namespace cleave::tune
