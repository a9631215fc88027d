#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::int8 {

/// What becomes of the exact sums S = bias + sum of (source code - source zero point) * weight.
struct Epilogue {
  simd::SumOutput type = simd::SumOutput::kInt32;
  std::vector<std::int32_t> bias;  ///< per output channel, on the grid source scale * weight scale; empty: 0
  std::vector<float> shifts;       ///< a bias that is not on that grid, in units of it; empty: 0. Not for kInt32
  /// Per output channel: source scale * weight scale / output scale; for kFloat without the last.
  std::vector<float> scales;
  std::int32_t zero_point = 0;  ///< of the codes written
  float low = 0;                ///< bounds of the output: of codes, an activation that clips included, or of kFloat's
  float high = 0;               ///< values (infinite for none)
};

/// Output channels that are computed by one call of an inner loop; in one group.
struct Unit {
  std::int64_t first;
  std::int64_t channels;
  std::int64_t source_channel;  ///< the first that they see
  std::int64_t strip;           ///< of the packed weights, bias and scales
};

/// The epilogue in strips of `lanes` channels, each unit beginning a strip.
class ChannelConstants {
 public:
  ChannelConstants(const Epilogue& epilogue, const std::vector<Unit>& units, std::int64_t lanes);

  /// Of a unit; `out` and `out_stride` are left open.
  simd::SumTarget target(const Unit& unit) const;
  std::int64_t element_size() const;  ///< bytes of an output element
  std::int32_t* bias_of(const Unit& unit) { return &bias_[unit.strip * lanes_]; }

 private:
  std::int64_t lanes_;
  std::vector<std::int32_t> bias_;
  std::vector<float> shifts_;  ///< empty for none
  std::vector<float> scales_;
  simd::SumTarget common_{};
};

}  // namespace cleave::exec::int8
