#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "cost/counts.h"
#include "cost/scale_sim.h"

namespace cleave::cost {

namespace {

/// The product as version 1 sees it.
struct Product {
  std::int64_t pixels, window, filters;
  double unrounded_pixels;  ///< quotients of both sides before rounding: some of its counters forget to round
};

Product product_of(const TopologyLayer& layer) {
  CLEAVE_CHECK(layer.stride_height == layer.stride_width, "version 1 has one stride");
  const std::int64_t height = layer.ifmap_height - layer.filter_height + layer.stride_height;
  const std::int64_t width = layer.ifmap_width - layer.filter_width + layer.stride_width;
  const auto stride = static_cast<double>(layer.stride_height);
  return {checked_product({height / layer.stride_height, width / layer.stride_width}),
          checked_product({layer.filter_height, layer.filter_width, layer.channels}), layer.filters,
          static_cast<double>(height) / stride * (static_cast<double>(width) / stride)};
}

/// A window longer than the array is high: sum over folds of cycles(rows in use, columns in use).
template <typename Cycles>
std::int64_t sum_folds(std::int64_t window, std::int64_t across, const SystolicArray& array, Cycles cycles) {
  std::int64_t total = 0;
  for (std::int64_t column = 0; column < across; column += array.columns) {
    for (std::int64_t row = 0; row < window; row += array.rows) {
      total += cycles(std::min(array.rows, window - row), std::min(array.columns, across - column));
    }
  }
  return total;
}

/// Windows stand on top of each other: so many of them as fit take turns in filling, then all run together.
std::int64_t sum_stacks(std::int64_t window, std::int64_t across, std::int64_t time, const SystolicArray& array) {
  const std::int64_t per_stack = array.rows / window * array.columns;
  std::int64_t total = 0;
  for (std::int64_t done = 0; done < across; done += per_stack) {
    const std::int64_t in_stack = std::min(across - done, per_stack);
    total += ceil_div(in_stack, array.columns) * window + window + std::min(in_stack, array.columns) + time;
  }
  return total;
}

std::int64_t weight_stationary(const Product& product, const SystolicArray& array) {
  if (array.rows >= product.window) {
    return sum_stacks(product.window, product.filters, product.pixels, array);
  }
  const auto unrounded = static_cast<std::int64_t>(product.unrounded_pixels);
  return sum_folds(product.window, product.filters, array, [&](std::int64_t rows, std::int64_t in_use) {
    return std::max(2 * rows + in_use + product.pixels, rows + unrounded);
  });
}

std::int64_t input_stationary(const Product& product, const SystolicArray& array) {
  if (array.rows >= product.window) {
    return sum_stacks(product.window, product.pixels, product.filters - 1, array);
  }
  return sum_folds(product.window, product.pixels, array,
                   [&](std::int64_t rows, std::int64_t in_use) { return 2 * rows + in_use + product.filters - 1; });
}

/// When the last word of either operand enters an output-stationary array.
std::int64_t last_read(const Product& product, const SystolicArray& array) {
  const std::int64_t across = ceil_div(product.filters, array.columns);
  const std::int64_t down = ceil_div(product.pixels, array.rows);
  const auto unrounded_down =
      static_cast<std::int64_t>(std::ceil(product.unrounded_pixels / static_cast<double>(array.rows)));
  const std::int64_t filter_fold = checked_product({unrounded_down, product.window});
  const std::int64_t last_columns = product.filters - (across - 1) * array.columns;
  const std::int64_t last_rows = product.pixels - (down - 1) * array.rows;
  std::int64_t last = across * filter_fold + last_columns - 1;
  if (across > 1) last = std::max(last, (across - 1) * filter_fold + std::min(array.columns, product.filters) - 1);
  last = std::max(last, across * down * product.window + last_rows - 1);
  if (down > 1) last = std::max(last, (across * down - 1) * product.window + array.rows - 1);
  return last;
}

/// When the last word leaves it: row groups drain one after the other, a column fold begins once its columns are free.
std::int64_t last_write(const Product& product, const SystolicArray& array) {
  const std::int64_t groups = ceil_div(product.pixels, array.rows);
  const std::int64_t last_rows = product.pixels - (groups - 1) * array.rows;
  std::int64_t columns = std::min(array.columns, product.filters);
  std::int64_t time = product.window + columns - 1;
  std::int64_t last = 0;
  for (std::int64_t left = product.filters; left > 0; left -= columns) {
    if (left < product.filters) {
      columns = std::min(left, array.columns);
      time = std::max(time + product.window + columns, last);
    }
    time += (groups - 1) * std::max(product.window, array.rows);
    last = time + last_rows;
    time -= last_rows + columns - 1;
  }
  return last;
}

}  // namespace

std::int64_t version_1_cycles(const TopologyLayer& layer, const SystolicArray& array) {
  const Product product = product_of(layer);
  switch (array.dataflow) {
    case Dataflow::kWeightStationary:
      return weight_stationary(product, array);
    case Dataflow::kInputStationary:
      return input_stationary(product, array);
    case Dataflow::kOutputStationary:
      return std::max(last_read(product, array), last_write(product, array));
  }
  CLEAVE_CHECK(false, "a dataflow is one of three");
  return 0;
}

}  // namespace cleave::cost
