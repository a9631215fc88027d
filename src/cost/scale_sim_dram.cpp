#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/error.h"
#include "cost/counts.h"
#include "cost/flushing_buffer.h"
#include "cost/ifmap_stream.h"
#include "cost/scale_sim.h"

namespace cleave::cost {

namespace {

constexpr std::int64_t kMostAccesses = std::int64_t{1} << 36;
constexpr std::int64_t kMostCounted = std::int64_t{1} << 31;  // addresses, fillings, accesses to gauge: 32 bits each

/// Rows (or columns) that some window covers, of `size`.
std::int64_t covered(std::int64_t size, std::int64_t filter, std::int64_t stride) {
  const std::int64_t windows = ceil_div(size - filter + stride, stride);
  if (stride <= filter) return std::min(size, (windows - 1) * stride + filter);
  const std::int64_t left = std::max<std::int64_t>(0, size - (windows - 1) * stride);  // the last may lie outside
  return (windows - 1) * filter + std::min(filter, left);
}

/// Reads of the whole stream, if none of its demands can be spared.
std::optional<std::int64_t> reads_without_hits(const IfmapStream& stream, std::int64_t passes, std::int64_t addresses,
                                               std::int64_t words) {
  RecurrenceGauge gauge(addresses, words);
  stream.pass(gauge);
  const std::int64_t accesses = gauge.accesses();
  if (passes > 1) {
    gauge.begin_next_pass();
    stream.pass(gauge);
  }
  if (!gauge.never_hits()) return std::nullopt;
  return accesses * passes;
}

void check_size(std::int64_t accesses, std::int64_t addresses, std::int64_t words) {
  if (accesses <= kMostAccesses && accesses / words <= kMostCounted && addresses <= kMostCounted) return;
  throw Error(ErrorKind::kUnsupported, "a layer is too large to count its DRAM traffic",
              "Give smaller input shapes (--shape name=1x3x224x224).");
}

/// Each input word is in one window only.
bool windows_are_apart(const TopologyLayer& layer) {
  const bool down = layer.stride_height >= layer.filter_height || layer.ifmap_height <= layer.filter_height;
  const bool across = layer.stride_width >= layer.filter_width || layer.ifmap_width <= layer.filter_width;
  return down && across;
}

std::int64_t ifmap_reads(const TopologyLayer& layer, const GemmShape& gemm, const SystolicArray& array,
                         std::int64_t words) {
  const std::int64_t touched =
      checked_product({covered(layer.ifmap_height, layer.filter_height, layer.stride_height),
                       covered(layer.ifmap_width, layer.filter_width, layer.stride_width), layer.channels});
  if (touched < words) return touched;
  const std::int64_t passes = ifmap_passes(gemm, array);
  if (windows_are_apart(layer)) return checked_product({touched, passes});
  const std::int64_t addresses = checked_product({layer.ifmap_height, layer.ifmap_width, layer.channels});
  const std::int64_t accesses = checked_product({gemm.pixels, gemm.window});
  check_size(checked_product({accesses, passes}), addresses, words);
  const IfmapStream stream(layer, gemm, array);
  if (accesses < kMostCounted) {
    if (const auto reads = reads_without_hits(stream, passes, addresses, words)) return *reads;
  }
  FlushingBuffer buffer(addresses, words);
  buffer.repeat(passes, [&stream](FlushingBuffer& each) { stream.pass(each); });
  return buffer.reads();
}

std::int64_t filter_reads(const GemmShape& gemm, const SystolicArray& array, std::int64_t words) {
  const std::int64_t all = checked_product({gemm.window, gemm.filters});
  if (array.dataflow == Dataflow::kWeightStationary) return all;
  DistinctStream stream(words);
  if (array.dataflow == Dataflow::kInputStationary) {
    stream.demand(all, ceil_div(gemm.pixels, array.columns));
    return stream.reads();
  }
  const std::int64_t row_folds = ceil_div(gemm.pixels, array.rows);
  checked_product({all, row_folds});
  for (std::int64_t first = 0; first < gemm.filters; first += array.columns) {
    stream.demand(std::min(array.columns, gemm.filters - first) * gemm.window, row_folds);
  }
  return stream.reads();
}

}  // namespace

GemmShape gemm_of_layer(const TopologyLayer& layer) {
  const std::int64_t height =
      ceil_div(layer.ifmap_height - layer.filter_height + layer.stride_height, layer.stride_height);
  const std::int64_t width = ceil_div(layer.ifmap_width - layer.filter_width + layer.stride_width, layer.stride_width);
  return {checked_product({height, width}), checked_product({layer.filter_height, layer.filter_width, layer.channels}),
          layer.filters};
}

std::int64_t buffer_words(std::int64_t sram_bytes) {
  return 50 * (sram_bytes / 100);
}

std::int64_t dram_writes(const GemmShape& gemm, const SystolicArray& array) {
  const bool sums_stay = array.dataflow == Dataflow::kOutputStationary;
  return checked_product({gemm.pixels, gemm.filters, sums_stay ? 1 : ceil_div(gemm.window, array.rows)});
}

DramTraffic dram_traffic(const TopologyLayer& layer, const SystolicArray& array, std::int64_t ifmap_words,
                         std::int64_t filter_words) {
  CLEAVE_CHECK(ifmap_words > 0 && filter_words > 0, "a buffer holds a word at least");
  const GemmShape gemm = gemm_of_layer(layer);
  return {ifmap_reads(layer, gemm, array, ifmap_words), filter_reads(gemm, array, filter_words),
          dram_writes(gemm, array)};
}

}  // namespace cleave::cost
