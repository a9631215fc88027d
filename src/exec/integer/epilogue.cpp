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

/// Bounds that a chain of Relu and Clip puts on a value.
struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();

  void clamp_to(float a, float b) {
    low = std::clamp(low, a, b);
    high = std::clamp(high, a, b);
  }
  /// False for a function that is no clamp.
  bool take(const Activation& a) {
    if (a.function == Function::kRelu) {
      clamp_to(0, std::numeric_limits<float>::infinity());
      return true;
    }
    const bool clips = a.function == Function::kClip && a.alpha <= a.beta;
    if (clips) clamp_to(a.alpha, a.beta);
    return clips;
  }
};

/// Empty when another function is among them.
std::optional<Bounds> bounds_of(const std::vector<Follower>& followers) {
  Bounds bounds;
  for (const Follower& follower : followers) {
    if (follower.kind == Follower::Kind::kActivation && !bounds.take(follower.activation)) return std::nullopt;
  }
  return bounds;
}

/// What stands between sums and their quantization: a function, if any, and clamps behind it.
struct Chain {
  std::optional<Follower> function;
  Bounds bounds;
};

std::optional<Chain> chain_of(const std::vector<Follower>& followers) {
  Chain chain;
  for (const Follower& follower : followers) {
    if (follower.kind == Follower::Kind::kBias) continue;
    if (follower.kind != Follower::Kind::kActivation) return std::nullopt;
    const Bounds before = chain.bounds;
    if (chain.bounds.take(follower.activation)) continue;
    if (follower.activation.function == Function::kClip) return std::nullopt;  // from a higher bound to a lower one
    if (chain.function || std::isfinite(before.low) || std::isfinite(before.high)) return std::nullopt;
    chain.function = follower;
    // What HardSigmoid clips to are bounds as well; without them it is a line (append_function).
    if (follower.activation.function == Function::kHardSigmoid) chain.bounds.clamp_to(0, 1);
  }
  return chain;
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

/// Keeps codes less zero point within their bounds, unless saturation does.
void append_limits(dnnl::post_ops& ops, const Epilogue& epilogue) {
  const bool is_signed = epilogue.dtype == DType::kInt8;
  const auto zero = static_cast<float>(epilogue.zero_point);
  if (epilogue.low == (is_signed ? -128.0F : 0.0F) && epilogue.high == (is_signed ? 127.0F : 255.0F)) return;
  ops.append_eltwise(1.0F, algorithm::eltwise_clip, epilogue.low - zero, epilogue.high - zero);
}

/// Takes over the followers in real numbers; false when one has no place.
bool take_real(Epilogue& epilogue, const std::vector<Follower>& followers) {
  for (const Follower& follower : followers) {
    if (follower.kind == Follower::Kind::kBias) continue;
    if (follower.kind != Follower::Kind::kActivation && follower.kind != Follower::Kind::kSum) return false;
    if (follower.kind == Follower::Kind::kSum) epilogue.addend = follower.addend;
    epilogue.functions.push_back(follower);
  }
  return true;
}

/// f(scale * x) = scale * f(x) for scale > 0.
bool is_homogeneous(const Activation& a) {
  return a.function == Function::kLeakyRelu;
}

/// The epilogue that stores f of the sums on a grid.
Epilogue storing_function(const Follower& function, const CodeGrid& grid, const std::vector<float>& sum_scales) {
  Epilogue epilogue = storing_on(grid, sum_scales);
  if (!is_homogeneous(function.activation)) {
    epilogue.scales = sum_scales;
    epilogue.factor = 1.0F / grid.scale;
  }
  epilogue.functions = {function};
  epilogue.only_clamps = false;
  return epilogue;
}

void append_function(dnnl::post_ops& ops, const Epilogue& epilogue, const Activation& a) {
  const bool is_line = epilogue.makes_codes() && a.function == Function::kHardSigmoid;
  if (is_line) return ops.append_eltwise(epilogue.factor, algorithm::eltwise_linear, a.alpha, a.beta);
  fast::append_activation(ops, a, epilogue.factor);
}

dnnl::post_ops post_ops_of(const Epilogue& epilogue) {
  dnnl::post_ops ops;
  for (const Follower& follower : epilogue.functions) {
    if (follower.kind == Follower::Kind::kSum) {
      ops.append_sum(1.0F);
    } else {
      append_function(ops, epilogue, follower.activation);
    }
  }
  if (epilogue.makes_codes()) append_limits(ops, epilogue);
  return ops;
}

bool sums_in_float(const std::vector<Follower>& followers) {
  return std::any_of(followers.begin(), followers.end(),
                     [](const Follower& f) { return f.kind == Follower::Kind::kSum; });
}

}  // namespace

std::optional<CodeGrid> stored_grid(Compiler& compiler, const std::vector<Follower>& followers) {
  if (followers.empty() || followers.back().kind != Follower::Kind::kQuantize) return std::nullopt;
  const auto grid = grid_of(compiler, followers.back());
  const auto chain = chain_of({followers.begin(), followers.end() - 1});
  return grid && chain && !chain->function ? std::optional(narrowed(*grid, chain->bounds)) : std::nullopt;
}

Epilogue storing_on(const CodeGrid& grid, const std::vector<float>& sum_scales) {
  Epilogue epilogue;
  epilogue.scales = sum_scales;
  for (float& scale : epilogue.scales) scale /= grid.scale;
  epilogue.dtype = grid.dtype;
  epilogue.code_scale = grid.scale;
  epilogue.zero_point = grid.zero_point;
  epilogue.low = static_cast<float>(grid.low);
  epilogue.high = static_cast<float>(grid.high);
  return epilogue;
}

std::optional<Epilogue> epilogue_of(Compiler& compiler, const std::vector<Follower>& followers,
                                    const std::vector<float>& sum_scales) {
  const bool quantizes = !followers.empty() && followers.back().kind == Follower::Kind::kQuantize;
  if (quantizes) {
    const auto grid = grid_of(compiler, followers.back());
    const auto chain = chain_of({followers.begin(), followers.end() - 1});
    if (!grid || !chain) return std::nullopt;
    const CodeGrid stored = narrowed(*grid, chain->bounds);
    return chain->function ? storing_function(*chain->function, stored, sum_scales) : storing_on(stored, sum_scales);
  }
  Epilogue epilogue;
  epilogue.scales = sum_scales;
  const auto bounds = bounds_of(followers);
  epilogue.only_clamps = bounds.has_value() && !sums_in_float(followers);
  if (bounds) std::tie(epilogue.low, epilogue.high) = std::pair(bounds->low, bounds->high);
  return take_real(epilogue, followers) ? std::optional(epilogue) : std::nullopt;
}

std::vector<float> sum_scales_of(const CodeGrid& source, const WeightCodes& weights) {
  std::vector<float> scales = weights.scales;
  for (float& scale : scales) scale *= source.scale;
  return scales;
}

dnnl::primitive_attr attributes_of(const Epilogue& epilogue, std::int32_t source_zero_point) {
  dnnl::primitive_attr attr = fast::attributes(post_ops_of(epilogue));
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
  const Tensor* codes = bias_codes_of(compiler.graph(), compiler.facts().constant, bias, input_scale, weights);
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
