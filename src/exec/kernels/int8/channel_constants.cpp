#include "exec/kernels/int8/channel_constants.h"

#include <algorithm>

namespace cleave::exec::int8 {
namespace {

/// values[channel] of each unit at the beginning of its strip; empty for none.
template <typename T>
std::vector<T> in_strips(const std::vector<T>& values, const std::vector<Unit>& units, std::int64_t lanes) {
  const std::int64_t strips = units.back().strip + (units.back().channels + lanes - 1) / lanes;
  std::vector<T> result(strips * lanes);
  if (values.empty()) return result;
  for (const Unit& unit : units) {
    std::copy_n(values.begin() + unit.first, unit.channels, result.begin() + unit.strip * lanes);
  }
  return result;
}

}  // namespace

ChannelConstants::ChannelConstants(const Epilogue& epilogue, const std::vector<Unit>& units, std::int64_t lanes)
    : lanes_(lanes),
      bias_(in_strips(epilogue.bias, units, lanes)),
      shifts_(in_strips(epilogue.shifts, units, lanes)),
      scales_(in_strips(epilogue.scales, units, lanes)) {
  if (epilogue.shifts.empty()) shifts_.clear();
  common_.type = epilogue.type;
  common_.zero_point = epilogue.zero_point;
  common_.low = epilogue.low;
  common_.high = epilogue.high;
}

simd::SumTarget ChannelConstants::target(const Unit& unit) const {
  const std::int64_t at = unit.strip * lanes_;
  simd::SumTarget target = common_;
  target.bias = &bias_[at];
  target.shifts = shifts_.empty() ? nullptr : &shifts_[at];
  target.scales = &scales_[at];
  target.channels = unit.channels;
  return target;
}

std::int64_t ChannelConstants::element_size() const {
  return common_.type == simd::SumOutput::kInt32 || common_.type == simd::SumOutput::kFloat ? 4 : 1;
}

}  // namespace cleave::exec::int8
