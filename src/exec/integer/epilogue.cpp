#include "exec/integer/epilogue.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "exec/kernels/fast/dnnl_support.h"

namespace cleave::exec::integer {
namespace {

using dnnl::algorithm;
using graph::Node;
using graph::TensorId;

/// Bounds that a chain of Relu and Clip puts on a value; empty when another function is among them.
struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();

  void clamp_to(float a, float b) {
    low = std::clamp(low, a, b);
    high = std::clamp(high, a, b);
  }
};

std::optional<Bounds> bounds_of(const std::vector<Follower>& followers) {
  Bounds bounds;
  for (const Follower& follower : followers) {
    if (follower.kind != Follower::Kind::kActivation) continue;
    const Activation& a = follower.activation;
    if (a.function == Function::kRelu) {
      bounds.clamp_to(0, std::numeric_limits<float>::infinity());
    } else if (a.function == Function::kClip && a.alpha <= a.beta) {
      bounds.clamp_to(a.alpha, a.beta);
    } else {
      return std::nullopt;
    }
  }
  return bounds;
}

/// The grid that a kQuantize follower stores on.
std::optional<CodeGrid> grid_of(Compiler& compiler, const Follower& follower) {
  const Node* clip = follower.nodes.size() == 2 ? &compiler.node(follower.nodes[1]) : nullptr;
  return grid_of_quantize(compiler.graph(), compiler.facts().constant, compiler.node(follower.nodes[0]), clip);
}

CodeGrid narrowed(CodeGrid grid, const Bounds& bounds) {
  const std::int32_t low = std::isinf(bounds.low) ? grid.low : grid.code(bounds.low);
  const std::int32_t high = std::isinf(bounds.high) ? grid.high : grid.code(bounds.high);
  grid.low = low;
  grid.high = high;
  return grid;
}

/// Keeps codes less zero point within the grid, unless saturation does.
void append_limits(dnnl::post_ops& ops, const CodeGrid& grid) {
  const bool is_signed = grid.dtype == DType::kInt8;
  if (grid.low == (is_signed ? -128 : 0) && grid.high == (is_signed ? 127 : 255)) return;
  ops.append_eltwise(1.0F, algorithm::eltwise_clip, static_cast<float>(grid.low - grid.zero_point),
                     static_cast<float>(grid.high - grid.zero_point));
}

/// Post-ops of the followers in real numbers; false when one has no place.
bool append_real(Epilogue& epilogue, const std::vector<Follower>& followers) {
  for (const Follower& follower : followers) {
    if (follower.kind == Follower::Kind::kActivation) {
      fast::append_activation(epilogue.ops, follower.activation);
    } else if (follower.kind == Follower::Kind::kSum) {
      epilogue.ops.append_sum(1.0F);
      epilogue.addend = follower.addend;
    } else if (follower.kind != Follower::Kind::kBias) {
      return false;
    }
  }
  return true;
}

void set_grid(Epilogue& epilogue, const CodeGrid& grid) {
  append_limits(epilogue.ops, grid);
  epilogue.dtype = grid.dtype;
  epilogue.zero_point = grid.zero_point;
  epilogue.low = static_cast<float>(grid.low);
  epilogue.high = static_cast<float>(grid.high);
}

bool sums_in_float(const std::vector<Follower>& followers) {
  return std::any_of(followers.begin(), followers.end(),
                     [](const Follower& f) { return f.kind == Follower::Kind::kSum; });
}

}  // namespace

std::optional<CodeGrid> stored_grid(Compiler& compiler, const std::vector<Follower>& followers) {
  if (followers.empty() || followers.back().kind != Follower::Kind::kQuantize) return std::nullopt;
  const auto grid = grid_of(compiler, followers.back());
  const std::vector<Follower> before(followers.begin(), followers.end() - 1);
  const auto bounds = bounds_of(before);
  const bool plain = std::all_of(before.begin(), before.end(), [](const Follower& f) {
    return f.kind == Follower::Kind::kActivation || f.kind == Follower::Kind::kBias;
  });
  return grid && bounds && plain ? std::optional(narrowed(*grid, *bounds)) : std::nullopt;
}

Epilogue storing_on(const CodeGrid& grid, const std::vector<float>& sum_scales) {
  Epilogue epilogue;
  epilogue.scales = sum_scales;
  for (float& scale : epilogue.scales) scale /= grid.scale;
  set_grid(epilogue, grid);
  return epilogue;
}

std::optional<Epilogue> epilogue_of(Compiler& compiler, const std::vector<Follower>& followers,
                                    const std::vector<float>& sum_scales) {
  Epilogue epilogue;
  epilogue.scales = sum_scales;
  const bool quantizes = !followers.empty() && followers.back().kind == Follower::Kind::kQuantize;
  if (!quantizes) {
    const auto bounds = bounds_of(followers);
    epilogue.only_clamps = bounds.has_value() && !sums_in_float(followers);
    if (bounds) std::tie(epilogue.low, epilogue.high) = std::pair(bounds->low, bounds->high);
    return append_real(epilogue, followers) ? std::optional(epilogue) : std::nullopt;
  }
  // Behind any other function the codes are made apart: oneDNN would multiply by 1 / scale where ONNX divides.
  const auto grid = stored_grid(compiler, followers);
  return grid ? std::optional(storing_on(*grid, sum_scales)) : std::nullopt;
}

dnnl::primitive_attr attributes_of(const Epilogue& epilogue, std::int32_t source_zero_point) {
  dnnl::primitive_attr attr = fast::attributes(epilogue.ops);
  attr.set_output_scales(epilogue.scales.size() == 1 ? 0 : 1 << 1, epilogue.scales);
  if (source_zero_point != 0) attr.set_zero_points(DNNL_ARG_SRC, 0, {source_zero_point});
  if (epilogue.zero_point != 0) attr.set_zero_points(DNNL_ARG_DST, 0, {epilogue.zero_point});
  return attr;
}

bool sums_are_exact(DType source, const WeightCodes& weights) {
  const auto has = [isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa())](dnnl::cpu_isa wanted) {
    return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
  };
  if (has(dnnl::cpu_isa::avx512_core_vnni) || has(dnnl::cpu_isa::avx2_vnni)) return true;
  return source == DType::kUint8 && weights.fits_seven_bits;
}

std::vector<std::int32_t> sum_codes(const Tensor& codes, std::size_t axis) {
  const Shape& shape = codes.shape();
  const auto values = codes.data<std::int8_t>();
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  std::vector<std::int32_t> sums(static_cast<std::size_t>(shape[axis]), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[i / static_cast<std::size_t>(inner) % sums.size()] += values[i];
  }
  return sums;
}

Tensor bias_of_sums(Compiler& compiler, TensorId bias, float input_scale, const WeightCodes& weights,
                    std::int32_t source_zero_point, const std::vector<std::int32_t>& code_sums) {
  const auto channels = static_cast<std::int64_t>(code_sums.size());
  const bool shifted = source_zero_point != 0;
  const Tensor* codes = bias_codes_of(compiler.graph(), bias, input_scale, weights);
  if (bias == TensorId::kNone && !shifted) return {};
  if (bias == TensorId::kNone || codes != nullptr) {
    Tensor result(DType::kInt32, {channels});
    const auto to = result.mutable_data<std::int32_t>();
    for (std::size_t c = 0; c < to.size(); ++c) {
      to[c] = (codes == nullptr ? 0 : codes->data<std::int32_t>()[c]) - source_zero_point * code_sums[c];
    }
    return result;
  }
  Tensor result(DType::kFloat32, {channels});
  const auto to = result.mutable_data<float>();
  const auto from = compiler.constant(bias)->data<float>();
  for (std::size_t c = 0; c < to.size(); ++c) {
    const double scale = static_cast<double>(input_scale) * weights.scales[weights.scales.size() == 1 ? 0 : c];
    to[c] = static_cast<float>(from[c] / scale - static_cast<double>(source_zero_point) * code_sums[c]);
  }
  return result;
}

}  // namespace cleave::exec::integer
