#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cost/counts.h"
#include "cost/scale_sim.h"

namespace cleave::cost {

/// Where the windows' words lie: channels innermost, then columns, then rows of the input.
class Windows {
 public:
  Windows(const TopologyLayer& layer, const GemmShape& gemm) : height_(layer.ifmap_height), width_(layer.ifmap_width) {
    const std::int64_t columns = ceil_div(width_ - layer.filter_width + layer.stride_width, layer.stride_width);
    const auto place = [&](std::int64_t row, std::int64_t column, std::int64_t channel) {
      return Place{row, column, (row * width_ + column) * layer.channels + channel};
    };
    for (std::int64_t p = 0; p < gemm.pixels; ++p) {
      corners_.push_back(place(p / columns * layer.stride_height, p % columns * layer.stride_width, 0));
    }
    for (std::int64_t k = 0; k < gemm.window; ++k) {
      const std::int64_t point = k / layer.channels;
      words_.push_back(place(point / layer.filter_width, point % layer.filter_width, k % layer.channels));
    }
    all_inside_ =
        corners_.back().row + layer.filter_height <= height_ && corners_.back().column + layer.filter_width <= width_;
  }

  /// What hangs over the border is never asked for.
  template <typename Buffer>
  void demand(std::int64_t pixel, std::int64_t word, Buffer& buffer) const {
    const Place& corner = corners_[static_cast<std::size_t>(pixel)];
    const Place& offset = words_[static_cast<std::size_t>(word)];
    if (!all_inside_ && (corner.row + offset.row >= height_ || corner.column + offset.column >= width_)) return;
    buffer.demand(corner.address + offset.address);
  }

 private:
  struct Place {
    std::int64_t row, column, address;
  };
  std::int64_t height_, width_;
  std::vector<Place> corners_, words_;
  bool all_inside_;
};

/// lanes x steps values enter skewed: lane l has its step s on line l + s.
template <typename Visit>
void skewed(std::int64_t lanes, std::int64_t steps, Visit visit) {
  for (std::int64_t line = 0; line < lanes + steps - 1; ++line) {
    const std::int64_t last = std::min(lanes - 1, line);
    for (std::int64_t lane = std::max<std::int64_t>(0, line - steps + 1); lane <= last; ++lane) {
      visit(lane, line - lane);
    }
  }
}

/// How often the input passes by: once per column fold (ws, os), or each word is placed once (is).
inline std::int64_t ifmap_passes(const GemmShape& gemm, const SystolicArray& array) {
  return array.dataflow == Dataflow::kInputStationary ? 1 : ceil_div(gemm.filters, array.columns);
}

/// The accesses of one layer's input in one pass.
/// A buffer has demand(address) and is_done(), asked before each fold.
class IfmapStream {
 public:
  IfmapStream(const TopologyLayer& layer, const GemmShape& gemm, const SystolicArray& array)
      : gemm_(gemm), array_(array), windows_(layer, gemm) {}

  template <typename Buffer>
  void pass(Buffer& buffer) const {
    switch (array_.dataflow) {
      case Dataflow::kWeightStationary:
        return stream_pixels(buffer);
      case Dataflow::kOutputStationary:
        return stream_words(buffer);
      case Dataflow::kInputStationary:
        return place_windows(buffer);
    }
  }

 private:
  /// A row of the array has one word of the window, pixels pass by.
  template <typename Buffer>
  void stream_pixels(Buffer& buffer) const {
    for (std::int64_t first = 0; first < gemm_.window && !buffer.is_done(); first += array_.rows) {
      skewed(std::min(array_.rows, gemm_.window - first), gemm_.pixels,
             [&](std::int64_t lane, std::int64_t step) { windows_.demand(step, first + lane, buffer); });
    }
  }

  /// A row of the array has one pixel, its window passes by.
  template <typename Buffer>
  void stream_words(Buffer& buffer) const {
    for (std::int64_t first = 0; first < gemm_.pixels && !buffer.is_done(); first += array_.rows) {
      skewed(std::min(array_.rows, gemm_.pixels - first), gemm_.window,
             [&](std::int64_t lane, std::int64_t step) { windows_.demand(first + lane, step, buffer); });
    }
  }

  /// The last row of a fold enters first.
  template <typename Buffer>
  void place_windows(Buffer& buffer) const {
    for (std::int64_t pixel = 0; pixel < gemm_.pixels && !buffer.is_done(); pixel += array_.columns) {
      const std::int64_t end = std::min(pixel + array_.columns, gemm_.pixels);
      for (std::int64_t word = 0; word < gemm_.window; word += array_.rows) {
        for (std::int64_t k = std::min(word + array_.rows, gemm_.window) - 1; k >= word; --k) {
          for (std::int64_t p = pixel; p < end; ++p) windows_.demand(p, k, buffer);
        }
      }
    }
  }

  const GemmShape& gemm_;
  const SystolicArray& array_;
  Windows windows_;
};

}  // namespace cleave::cost
