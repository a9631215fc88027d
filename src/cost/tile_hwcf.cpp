#include "cost/tile_hwcf.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "cost/counts.h"
#include "cost/models.h"

namespace cleave::cost {

namespace {

constexpr std::int64_t kMostTiles = 1'000'000'000;

/// One axis of the input.
struct Axis {
  std::int64_t size, tile, kernel, stride;
};

/// A tile along one axis.
struct Span {
  std::int64_t values, windows;
};

/// Windows along a tile's height: the published quotient is K / S alone.
std::int64_t windows_down(std::int64_t values, const Axis& axis) {
  return values < axis.kernel ? 1 : values - ceil_div(axis.kernel, axis.stride) + 1;
}

std::int64_t windows_across(std::int64_t values, const Axis& axis) {
  return values < axis.kernel ? 1 : (values - axis.kernel) / axis.stride + 1;
}

using Windows = std::int64_t (*)(std::int64_t values, const Axis&);

/// The tile that is due at `start`: all but the first begin kernel - 1 values earlier.
Span tile_at(std::int64_t start, const Axis& axis, Windows windows) {
  const std::int64_t begin = start == 0 ? 0 : start - axis.kernel + 1;
  const std::int64_t values = std::min(begin + axis.tile, axis.size) - begin;
  return {values, windows(values, axis)};
}

/// Sums the tiles of one convolution in the published order: height, width, channels.
class Schedule {
 public:
  Schedule(const TileModel& model, const UnitWork& work, quant::Bits weight, quant::Bits activation)
      : model_(model), work_(work), activation_(activation), depthwise_(work.groups >= work.in_channels) {
    const bool transposed = work.op == "ConvTranspose";
    down_ = {work.in_width, model.tile_height, work.kernel_width, transposed ? 1 : work.stride_width};
    across_ = {work.in_height, model.tile_width, work.kernel_height, transposed ? 1 : work.stride_height};
    check_tiles();
    add_weights(weight);
    counts_.multipliers = std::max<std::int64_t>(0, model.tile_width - work.kernel_height + 1) * model.tile_channels *
                          (depthwise_ ? 1 : model.filters);
  }

  TileCounts run() {
    for (std::int64_t image = 0; image < work_.batch; ++image) {
      for (std::int64_t start = 0; start < down_.size; start += down_.tile)
        add_row(tile_at(start, down_, windows_down));
    }
    return counts_;
  }

 private:
  void check_tiles() const {
    const std::int64_t tiles =
        checked_product({work_.batch, ceil_div(down_.size, down_.tile), ceil_div(across_.size, across_.tile),
                         ceil_div(work_.in_channels, model_.tile_channels)});
    if (tiles <= kMostTiles) return;
    throw Error(ErrorKind::kUnsupported,
                "a convolution has " + std::to_string(tiles) + " tiles, at most 10^9 are counted",
                "Give smaller input shapes (--shape name=1x3x224x224), or a roofline or systolic device.");
  }

  void add_weights(quant::Bits bits) {
    const std::int64_t filters = depthwise_ ? 1 : work_.out_channels;
    const auto elements =
        static_cast<double>(checked_product({filters, work_.in_channels, work_.kernel_height, work_.kernel_width}));
    counts_.weight_bytes = elements * bits.count / 8;
    counts_.cycles = model_.dma_cycles_per_byte * elements * bits.count / 8;
    counts_.transfer_bound = 1;
  }

  void add_row(const Span& h) {
    for (std::int64_t start = 0; start < across_.size; start += across_.tile) {
      add_column(h, tile_at(start, across_, windows_across));
    }
  }

  /// All channels of one place.
  void add_column(const Span& h, const Span& w) {
    for (std::int64_t c0 = 0; c0 < work_.in_channels; c0 += model_.tile_channels) {
      const std::int64_t channels = std::min(model_.tile_channels, work_.in_channels - c0);
      const auto values = static_cast<double>(channels * w.values * h.values);
      counts_.input_bytes += values * activation_.count / 8;
      if (depthwise_) {
        add_tile(static_cast<double>(h.windows), values * activation_.count / 8);
        add_output(h, w, channels);
      } else {
        add_tile(compute_cycles(h, w, c0 > 0), values * model_.dma_cycles_per_byte * activation_.count / 8);
      }
    }
    if (!depthwise_) add_output(h, w, work_.out_channels);
  }

  double compute_cycles(const Span& h, const Span& w, bool adds_to_earlier_channels) const {
    const std::int64_t passes = ceil_div(activation_.count, 8);
    const double products =
        static_cast<double>(ceil_div(work_.out_channels, model_.filters)) * static_cast<double>(h.windows * passes);
    if (!adds_to_earlier_channels) return products;
    return products + static_cast<double>(work_.out_channels) *
                          static_cast<double>(w.windows * ceil_div(h.windows, model_.adders));
  }

  void add_tile(double compute, double transfer) {
    counts_.cycles += std::max(compute, transfer);
    counts_.compute_cycles += compute;
    ++(transfer > compute ? counts_.transfer_bound : counts_.compute_bound);
  }

  void add_output(const Span& h, const Span& w, std::int64_t channels) {
    counts_.output_bytes +=
        static_cast<double>(h.windows * w.windows) * static_cast<double>(channels) * activation_.count / 8;
  }

  const TileModel& model_;
  const UnitWork& work_;
  quant::Bits activation_;
  bool depthwise_;
  Axis down_{}, across_{};
  TileCounts counts_;
};

}  // namespace

TileCounts tile_counts(const TileModel& model, const UnitWork& work, quant::Bits weight, quant::Bits activation) {
  if (work.op != "Conv" && work.op != "ConvTranspose") return {};
  return Schedule(model, work, weight, activation).run();
}

double seconds(const TileModel& model, const Request& request) {
  return tile_counts(model, request.work, request.weight, request.activation).cycles / model.clock_hz;
}

}  // namespace cleave::cost
