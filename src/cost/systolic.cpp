#include <algorithm>

#include "core/check.h"
#include "cost/counts.h"
#include "cost/models.h"
#include "cost/systolic_traffic.h"

namespace cleave::cost {

namespace {

struct Mapping {
  std::int64_t rows, columns, time;
};

Mapping map_onto_array(const GemmShape& gemm, Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      return {gemm.window, gemm.filters, gemm.pixels};
    case Dataflow::kOutputStationary:
      return {gemm.pixels, gemm.filters, gemm.window};
    case Dataflow::kInputStationary:
      return {gemm.window, gemm.pixels, gemm.filters};
  }
  CLEAVE_CHECK(false, "a dataflow is one of three");
  return {};
}

/// Cycles of one fold: filling the array (stationary operand), skew in both directions, and T steps.
std::int64_t fold_cycles(std::int64_t rows, std::int64_t columns, std::int64_t time, Dataflow dataflow) {
  const std::int64_t fill = dataflow == Dataflow::kOutputStationary ? 0 : rows;
  return checked_sum(fill + rows + columns - 2, time);
}

/// SRAM accesses: the operand that streams is read again for every fold across it; the report of an output-stationary
/// run counts R + C more writes for every fold than there are outputs.
void count_sram(const GemmShape& gemm, std::int64_t rows, std::int64_t columns, std::int64_t row_folds,
                std::int64_t column_folds, Dataflow dataflow, SystolicCounts& counts) {
  const std::int64_t ifmap = checked_product({gemm.pixels, gemm.window});
  const std::int64_t filter = checked_product({gemm.window, gemm.filters});
  const std::int64_t ofmap = checked_product({gemm.pixels, gemm.filters});
  const bool weights_stay = dataflow == Dataflow::kWeightStationary;
  const bool inputs_stay = dataflow == Dataflow::kInputStationary;
  counts.sram_ifmap_reads = checked_product({ifmap, inputs_stay ? 1 : column_folds});
  counts.sram_filter_reads = checked_product({filter, weights_stay ? 1 : inputs_stay ? column_folds : row_folds});
  counts.sram_ofmap_writes = weights_stay || inputs_stay
                                 ? checked_product({ofmap, row_folds})
                                 : checked_sum(ofmap, checked_product({row_folds, column_folds, rows + columns}));
}

/// How many groups stand side by side along the array's diagonal.
std::int64_t groups_per_pass(const SystolicModel& model, const GemmShape& gemm) {
  if (model.groups == GroupMapping::kOneByOne) return 1;
  const Mapping mapping = map_onto_array(gemm, model.dataflow);
  return std::max<std::int64_t>(1, std::min(model.rows / mapping.rows, model.columns / mapping.columns));
}

double array_cycles(const SystolicModel& model, const UnitWork& work) {
  const GemmShape gemm = gemm_of_group(work);
  if (gemm.pixels == 0 || gemm.window == 0 || gemm.filters == 0) return 0;
  const SystolicCounts counts = systolic_counts(gemm, model.rows, model.columns, model.dataflow);
  const std::int64_t passes = ceil_div(work.groups, groups_per_pass(model, gemm));
  return static_cast<double>(counts.total_cycles + 1) * static_cast<double>(passes);
}

}  // namespace

GemmShape gemm_of_group(const UnitWork& work) {
  const std::int64_t kernel = checked_product({work.kernel_height, work.kernel_width});
  const std::int64_t in_channels = work.in_channels / work.groups;
  const std::int64_t out_channels = work.out_channels / work.groups;
  if (work.op == "ConvTranspose") {
    return {checked_product({work.batch, work.in_height, work.in_width}), in_channels,
            checked_product({kernel, out_channels})};
  }
  return {checked_product({work.batch, work.out_height, work.out_width}), checked_product({kernel, in_channels}),
          out_channels};
}

SystolicCounts systolic_counts(const GemmShape& gemm, std::int64_t rows, std::int64_t columns, Dataflow dataflow) {
  CLEAVE_CHECK(gemm.pixels > 0 && gemm.window > 0 && gemm.filters > 0, "an empty product maps onto no array");
  CLEAVE_CHECK(rows > 0 && columns > 0, "an array has rows and columns");
  const Mapping mapping = map_onto_array(gemm, dataflow);
  const std::int64_t row_folds = ceil_div(mapping.rows, rows);
  const std::int64_t column_folds = ceil_div(mapping.columns, columns);
  const std::int64_t folds = checked_product({row_folds, column_folds});

  SystolicCounts counts{};
  counts.spatial_rows = mapping.rows;
  counts.spatial_columns = mapping.columns;
  counts.temporal = mapping.time;
  counts.total_cycles = checked_product({folds, fold_cycles(rows, columns, mapping.time, dataflow)}) - 1;
  const double array = static_cast<double>(rows) * static_cast<double>(columns);
  const double used = static_cast<double>(mapping.rows) * static_cast<double>(mapping.columns);
  counts.mapping_efficiency_percent = 100 * used / (static_cast<double>(folds) * array);
  counts.utilisation_percent =
      100 * used * static_cast<double>(mapping.time) / (static_cast<double>(counts.total_cycles) * array);
  count_sram(gemm, rows, columns, row_folds, column_folds, dataflow, counts);
  return counts;
}

double seconds(const SystolicModel& model, const Request& request) {
  const UnitWork& work = request.work;
  const double compute_s = work.is_convolution ? array_cycles(model, work) * request.passes() / model.clock_hz
                                               : static_cast<double>(work.vector_ops) / model.vector_ops_per_s;
  const double bytes =
      work.is_convolution && model.sram ? dram_bytes(model, work, request.weight, request.activation) : request.bytes();
  return model.overhead_s + std::max(compute_s, bytes / model.bytes_per_s);
}

}  // namespace cleave::cost
