#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"
#include "cost/unit_work.h"
#include "quant/bits.h"

namespace cleave::cost {

/// How bit-widths speed up multiply-accumulates; b is the wider of weight and activation bits.
///   none        never below 8 bits; ceil(b / 8) passes of an 8-bit array above
///   bit_fusion  64 / (pow2ceil(bw) * pow2ceil(ba)) with bits of at least 2; 16 x 16 bits: 4 passes
///   tensor_core 4 bits twice as fast as 8, 16 bits half, 32 bits a quarter
enum class ComputeScaling { kNone, kBitFusion, kTensorCore };

/// Time of one multiply-accumulate at these widths over its time at 8 x 8 bits.
/// Source: Bit Fusion (Sharma et al., ISCA 2018), table of fused units; tensor cores: vendor rates.
double compute_passes(ComputeScaling scaling, quant::Bits weight, quant::Bits activation);

/// Every MAC 1 s, every byte moved 1 s (weights in, activations in and out): for checking by hand.
struct UnitModel {
  double s_per_mac = 1;
  double s_per_byte = 1;
};

/// t = overhead + max(work / rate, bytes / bandwidth) per unit.
/// The rate at 32 bits is float_macs_per_s; narrower units run at macs_per_s over compute_passes, never slower than
/// float.
struct RooflineModel {
  double macs_per_s = 0;        ///< at 8 x 8 bits
  double float_macs_per_s = 0;  ///< at 32 bits (0: macs_per_s / 4)
  double vector_ops_per_s = 0;
  double bytes_per_s = 0;
  double overhead_s = 0;  ///< per unit
};

/// Weight-, output- or input-stationary array: SCALE-Sim's closed forms, with DRAM time overlapped.
enum class Dataflow { kWeightStationary, kOutputStationary, kInputStationary };
/// Groups of a grouped or depthwise convolution: one after the other, or as many as fit along the array's diagonal.
enum class GroupMapping { kOneByOne, kPacked };
/// Read buffers of an array, at least kLeastBytes each.
struct SramSizes {
  static constexpr std::int64_t kLeastBytes = 100;
  std::int64_t ifmap_bytes;
  std::int64_t filter_bytes;
};
struct SystolicModel {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  Dataflow dataflow = Dataflow::kWeightStationary;
  double clock_hz = 0;
  double bytes_per_s = 0;       ///< DRAM
  double vector_ops_per_s = 0;  ///< for units that are no convolution
  double overhead_s = 0;        ///< per unit
  GroupMapping groups = GroupMapping::kOneByOne;
  std::optional<SramSizes> sram;  ///< absent: inputs and weights come from DRAM once (traffic_bytes), else dram_bytes
};

/// Seconds per unit as measured: by unit name, then "W<bits>A<bits>"; a unit without weights is asked for with both
/// widths alike.
struct TableModel {
  std::map<std::string, std::map<std::string, double>> unit_s;
};

/// Auto-Split's published simulator ("HWCF"): convolutions cut into tiles whose transfer hides behind their compute;
/// everything else takes no time. Formula at tile_counts (cost/tile_hwcf.h). Widths act by its own rule, so
/// Device::scaling stays ComputeScaling::kNone.
struct TileModel {
  std::int64_t tile_height = 0;    ///< hxx: input values of a tile along the last axis
  std::int64_t tile_width = 0;     ///< wxx: along the axis before
  std::int64_t tile_channels = 0;  ///< cxx
  std::int64_t filters = 0;        ///< fx: output channels computed at once
  std::int64_t adders = 0;         ///< padd_unit: partial sums added per cycle
  double dma_cycles_per_byte = 0;
  double clock_hz = 0;
};

using LatencyModel = std::variant<UnitModel, RooflineModel, SystolicModel, TableModel, TileModel>;

/// A device file (configs/devices/*.json, schema cleave.device/1).
struct Device {
  std::string name;
  LatencyModel model;
  ComputeScaling scaling = ComputeScaling::kNone;
  std::optional<std::int64_t> memory_bytes;  ///< for edge weights and activations; absent: not limited
  quant::Bits float_bits{32};                ///< what the device computes with when it runs the float part (16 or 32)
  std::vector<std::string> operators;        ///< units it can run; empty: all
  std::string fingerprint;

  /// Throws Error(kInvalidInput) with the place and the way out: unknown keys, quantities that are not positive.
  static Device from_json(const Json& json, const std::string& origin);
};

/// Bytes that cross a unit's border once: weights at `weight` bits, inputs and outputs at `activation` bits, each of
/// the three packed by itself: ceil(elements * bits / 8).
double traffic_bytes(const UnitWork& work, quant::Bits weight, quant::Bits activation);

/// Seconds of one unit on a device at these bit-widths (input activations; the output is priced at the same width).
/// Infinity never: throws Error(kUnsupported) when a table has no such row. Bytes scale with bits; compute by
/// Device::scaling. Empty when the device cannot run the operator.
std::optional<double> unit_seconds(const Device& device, const std::string& unit_name, const UnitWork& work,
                                   quant::Bits weight, quant::Bits activation);

/// SCALE-Sim v2 (CALC mode) for one layer; all counts as its reports give them.
struct SystolicCounts {
  std::int64_t spatial_rows, spatial_columns, temporal;  ///< Sr, Sc, T of the dataflow
  std::int64_t total_cycles;                             ///< as reported: lines - 1
  double mapping_efficiency_percent;
  double utilisation_percent;
  std::int64_t sram_ifmap_reads, sram_filter_reads, sram_ofmap_writes;
};
struct GemmShape {
  std::int64_t pixels;   ///< P = output height * width (* batch)
  std::int64_t window;   ///< K = kernel area * input channels
  std::int64_t filters;  ///< N
};
/// The matrix product that one group of a convolution is: {batch * out pixels, kernel * in channels, out channels}; a
/// transposed convolution spreads its input instead: {batch * in pixels, in channels, kernel * out channels}.
GemmShape gemm_of_group(const UnitWork& work);
/// Source: SCALE-Sim (Samajdar et al., ISPASS 2020), v2 code's folds: 2R+C+T-2 (ws, is), R+C+T-2 (os).
SystolicCounts systolic_counts(const GemmShape& gemm, std::int64_t rows, std::int64_t columns, Dataflow dataflow);

}  // namespace cleave::cost
