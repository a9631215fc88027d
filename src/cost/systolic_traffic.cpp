#include "cost/systolic_traffic.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "cost/scale_sim.h"

namespace cleave::cost {

namespace {

/// One of the two read buffers, at the width of what it holds.
struct ReadBuffer {
  std::int64_t bytes;
  quant::Bits bits;

  std::int64_t words() const { return std::max<std::int64_t>(1, 8 * bytes / bits.count); }
  double moved_bytes(std::int64_t reads) const {
    const std::int64_t fillings = reads / words();
    return static_cast<double>(fillings) * static_cast<double>(bytes) +
           std::ceil(static_cast<double>(reads % words()) * bits.count / 8);
  }
};

/// One group of one image. A plain product is a row of pixels under a 1 x 1 kernel.
TopologyLayer layer_of(const UnitWork& work) {
  const GemmShape gemm = gemm_of_group(work);
  if (work.op != "Conv") return {1, gemm.pixels / work.batch, 1, 1, gemm.window, gemm.filters, 1, 1};
  return {(work.out_height - 1) * work.stride_height + work.kernel_height,
          (work.out_width - 1) * work.stride_width + work.kernel_width,
          work.kernel_height,
          work.kernel_width,
          work.in_channels / work.groups,
          gemm.filters,
          work.stride_height,
          work.stride_width};
}

}  // namespace

double dram_bytes(const SystolicModel& model, const UnitWork& work, quant::Bits weight, quant::Bits activation) {
  CLEAVE_CHECK(model.sram.has_value(), "without buffers every byte moves once");
  const double written = std::ceil(static_cast<double>(work.output_elements) * activation.count / 8);
  const GemmShape gemm = gemm_of_group(work);
  if (gemm.pixels == 0 || gemm.window == 0 || gemm.filters == 0) return written;
  const ReadBuffer ifmap{buffer_words(model.sram->ifmap_bytes), activation};
  const ReadBuffer filters{buffer_words(model.sram->filter_bytes), work.weight_elements == 0 ? activation : weight};
  const SystolicArray array{model.rows, model.columns, model.dataflow};
  const DramTraffic traffic = dram_traffic(layer_of(work), array, ifmap.words(), filters.words());
  const double runs = static_cast<double>(work.batch) * static_cast<double>(work.groups);
  return runs * (ifmap.moved_bytes(traffic.ifmap_reads) + filters.moved_bytes(traffic.filter_reads)) + written;
}

}  // namespace cleave::cost
