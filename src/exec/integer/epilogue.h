#pragma once

#include <optional>
#include <vector>

#include "exec/compiler.h"

namespace dnnl {
struct primitive_attr;
}

namespace cleave::exec::integer {

/// What happens to the int32 sums of a convolution or matrix product before they are stored.
///
///     y = factor * f(scales[c] * (sum + bias)), a float
///     y = clamp(rint(the same) + zero_point, low, high), a code
struct Epilogue {
  std::vector<float> scales;        ///< one per output channel, or one for all
  std::vector<Follower> functions;  ///< f: functions and at most one sum, in this order; empty for none
  float factor = 1;                 ///< not 1 behind a single function only
  DType dtype = DType::kFloat32;    ///< of the result
  float code_scale = 1;             ///< of the codes; `scales` or `factor` have it as divisor
  std::int32_t zero_point = 0;
  graph::TensorId addend = graph::TensorId::kNone;  ///< float tensor that the sum adds
  bool only_clamps = true;                          ///< f keeps the result in [low, high] and does no more
  float low = 0;                                    ///< codes, or float values
  float high = 0;

  bool makes_codes() const { return dtype != DType::kFloat32; }
};

/// Relu and Clip in front of a quantization become bounds of its codes. Of other functions there may be one, in front
/// of them; otherwise the result must be floats. Nothing when a follower has no place here.
///
/// sum_scales   value of one unit of the int32 sum, per channel or one for all.
std::optional<Epilogue> epilogue_of(Compiler& compiler, const std::vector<Follower>& followers,
                                    const std::vector<float>& sum_scales);

/// Value of one unit of the sums of products of source and weight codes: per channel, or one for all.
std::vector<float> sum_scales_of(const CodeGrid& source, const WeightCodes& weights);

/// The epilogue that stores codes of a grid and does no more.
Epilogue storing_on(const CodeGrid& grid, const std::vector<float>& sum_scales);

/// The grid on which a group stores its codes, narrowed by the Relu and Clip in front; nothing when the group does not
/// end in a quantization or holds anything else.
std::optional<CodeGrid> stored_grid(Compiler& compiler, const std::vector<Follower>& followers);

/// Attributes for a primitive whose output channels are dimension 1.
dnnl::primitive_attr attributes_of(const Epilogue& epilogue, std::int32_t source_zero_point);

/// True when oneDNN's int8 sums are exact on this CPU (ONEDNN_MAX_CPU_ISA considered): with VNNI or AMX always, without
/// them (vpmaddubsw saturates) for uint8 sources and weights of at most 7 bits.
bool sums_are_exact(DType source, const WeightCodes& weights);

/// The bias in units of the sum: int32 when it was given as codes of that scale, else float32; empty when there is
/// none. What reading codes as if their zero point were 0 adds to the sums, source_zero_point * code_sums[c], is taken
/// off.
///
/// code_sums   sum of each output channel's weight codes
Tensor bias_of_sums(Compiler& compiler, graph::TensorId bias, float input_scale, const WeightCodes& weights,
                    std::int32_t source_zero_point, const std::vector<std::int32_t>& code_sums);

/// Sum of the codes in each slice of `axis`.
std::vector<std::int32_t> sum_codes(const Tensor& codes, std::size_t axis);

}  // namespace cleave::exec::integer
