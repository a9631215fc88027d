#include <algorithm>
#include <array>
#include <cmath>

#include "growths.h"

namespace cleave::exec::testing {
namespace {

using graph::TensorId;
using Made = std::vector<TensorId>;
using Ints = std::vector<std::int64_t>;

std::size_t axis_of(const Shape& shape, std::uint32_t choice) {
  return choice % shape.size();
}

/// An axis as ONNX takes it, counted from the end for odd choices.
std::int64_t axis_attribute(const Shape& shape, std::size_t axis, std::uint32_t choice) {
  return static_cast<std::int64_t>(axis) - (choice % 2 == 1 ? static_cast<std::int64_t>(shape.size()) : 0);
}

/// A tensor made so far that `wanted` accepts, other than x if there is one.
template <typename Wanted>
TensorId partner(const Grower& g, TensorId x, std::uint32_t choice, const Wanted& wanted) {
  for (std::size_t i = 0; i < g.tensors.size(); ++i) {
    const TensorId other = g.tensors[(choice + i) % g.tensors.size()];
    if (other != x && wanted(g.shape(other))) return other;
  }
  return x;
}

Made activation(const Grower& g, TensorId x, const Gene& gene) {
  static constexpr std::array<const char*, 10> kPlain = {"Relu",     "Sigmoid",  "Tanh",        "LeakyRelu", "Elu",
                                                         "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Abs"};
  const std::uint32_t choice = gene.a % (kPlain.size() + 3);
  if (choice < kPlain.size()) return {g.net.like_first(kPlain[choice], {x})};
  if (choice == kPlain.size()) return {g.net.clip(x, -0.5F, 1.0F)};
  if (choice == kPlain.size() + 1) return {g.net.silu(x)};
  const Shape shape = g.shape(x);
  const Shape slope = shape.size() == 4 ? Shape{shape[1], 1, 1} : Shape{1};
  return {g.net.like_first("PRelu", {x, g.floats(slope, -0.3, 0.3)})};
}

/// x with a constant: a number, a value per entry of one axis, or a whole tensor.
Made with_constant(const Grower& g, TensorId x, const Gene& gene) {
  static constexpr std::array<const char*, 6> kOps = {"Add", "Mul", "Sub", "Div", "Max", "Min"};
  const Shape shape = g.shape(x);
  Shape other(shape.size(), 1);
  if (gene.b % 3 == 1) other[axis_of(shape, gene.c)] = shape[axis_of(shape, gene.c)];
  if (gene.b % 3 == 2) other = Shape(shape.begin() + static_cast<std::ptrdiff_t>(shape.size() / 2), shape.end());
  const bool dividing = gene.a % kOps.size() == 3;
  const TensorId constant = g.floats(other, dividing ? 0.5 : -1.2, 1.5);
  const bool in_front = !dividing && gene.c / 8 % 2 == 1;
  return {g.net.shaped(kOps[gene.a % kOps.size()], in_front ? Made{constant, x} : Made{x, constant}, shape)};
}

/// x with a tensor of its shape, or with one that is broadcast to it.
Made with_tensor(const Grower& g, TensorId x, const Gene& gene) {
  static constexpr std::array<const char*, 4> kOps = {"Add", "Add", "Mul", "Max"};
  const Shape shape = g.shape(x);
  const TensorId other = partner(g, x, gene.b, [&](const Shape& candidate) {
    if (candidate.size() > shape.size()) return false;
    return std::equal(candidate.rbegin(), candidate.rend(), shape.rbegin(),
                      [](std::int64_t c, std::int64_t s) { return c == s || c == 1; });
  });
  const Made inputs = gene.c % 2 == 0 ? Made{x, other} : Made{other, x};
  const TensorId made = g.net.shaped(kOps[gene.a % kOps.size()], inputs, shape);
  // Products of products leave the range in which 1e-4 means something.
  return {gene.a % kOps.size() == 2 ? g.net.like_first("Tanh", {made}) : made};
}

Made concat(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  const std::size_t axis = axis_of(shape, gene.a);
  const TensorId other = partner(g, x, gene.b, [&](Shape candidate) {
    if (candidate.size() != shape.size()) return false;
    candidate[axis] = shape[axis];
    return candidate == shape;
  });
  Shape out = shape;
  out[axis] += g.shape(other)[axis];
  if (element_count(out) > kLargestTensor) return {};
  const Made parts = gene.c % 2 == 0 ? Made{x, other} : Made{other, x};
  return {g.net.shaped("Concat", parts, out, {{"axis", axis_attribute(shape, axis, gene.c / 2)}})};
}

Made split(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  const std::size_t axis = axis_of(shape, gene.a);
  if (shape[axis] < 2) return {};
  const std::int64_t first = 1 + gene.b % (shape[axis] - 1);
  graph::GraphBuilder& builder = g.net.builder();
  const std::string name = builder.free_name("t");
  const Made made = builder.node("Split", {x, g.integers({first, shape[axis] - first})}, {name, name + "_rest"},
                                 {{"axis", axis_attribute(shape, axis, gene.c)}});
  Shape part = shape;
  part[axis] = first;
  builder.set_shape(made[0], DType::kFloat32, part);
  part[axis] = shape[axis] - first;
  builder.set_shape(made[1], DType::kFloat32, part);
  return made;
}

Made slice(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  const std::size_t axis = axis_of(shape, gene.a);
  const std::int64_t size = shape[axis];
  const std::int64_t step = 1 + gene.c / 2 % 2;
  const std::int64_t start = gene.b % size;
  const bool backwards = gene.c % 4 == 3;
  Shape out = shape;
  out[axis] = backwards ? start / step + 1 : (size - start + step - 1) / step;
  const Ints ends = {backwards ? -size - 1 : size + 5};
  return {g.net.shaped("Slice",
                       {x, g.integers({start}), g.integers(ends), g.integers({static_cast<std::int64_t>(axis)}),
                        g.integers({backwards ? -step : step})},
                       out)};
}

Made transpose(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  Ints order(shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  for (std::uint32_t i = 0; i < gene.a % 24; ++i) std::next_permutation(order.begin(), order.end());
  Shape out;
  for (const std::int64_t axis : order) out.push_back(shape[static_cast<std::size_t>(axis)]);
  return {g.net.shaped("Transpose", {x}, out, {{"perm", order}})};
}

/// Two neighbouring axes become one, or one is split in two; axes of size one come and go.
Made reshape(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  const std::size_t axis = axis_of(shape, gene.b);
  const auto at = static_cast<std::ptrdiff_t>(axis);
  Shape out = shape;
  if (gene.a % 3 == 0 && axis + 1 < shape.size()) {
    out[axis] *= out[axis + 1];
    out.erase(out.begin() + at + 1);
  } else if (gene.a % 3 == 1 && shape[axis] % 2 == 0 && shape.size() < 5) {
    out[axis] = 2;
    out.insert(out.begin() + at + 1, shape[axis] / 2);
  } else if (shape.size() < 5) {
    out.insert(out.begin() + at, 1);
    return {g.net.shaped("Unsqueeze", {x, g.integers({static_cast<std::int64_t>(axis)})}, out)};
  }
  return {g.net.shaped("Reshape", {x, g.integers(out)}, out)};
}

Made flatten(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  const std::size_t axis = axis_of(shape, gene.a);
  std::int64_t rows = 1;
  for (std::size_t i = 0; i < axis; ++i) rows *= shape[i];
  return {
      g.net.shaped("Flatten", {x}, {rows, element_count(shape) / rows}, {{"axis", static_cast<std::int64_t>(axis)}})};
}

Made reduction(const Grower& g, TensorId x, const Gene& gene) {
  static constexpr std::array<const char*, 4> kOps = {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"};
  const Shape shape = g.shape(x);
  if (shape.size() < 2) return {};
  const std::size_t axis = axis_of(shape, gene.b);
  const bool keep = gene.c % 2 == 0;
  Shape out = shape;
  out[axis] = 1;
  if (!keep) out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
  return {g.net.shaped(kOps[gene.a % kOps.size()], {x}, out,
                       {{"axes", Ints{axis_attribute(shape, axis, gene.c / 2)}},
                        {"keepdims", static_cast<std::int64_t>(keep ? 1 : 0)}})};
}

Made softmax(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  return {g.net.like_first(gene.b % 4 == 0 ? "LogSoftmax" : "Softmax", {x},
                           {{"axis", axis_attribute(shape, axis_of(shape, gene.a), gene.c)}})};
}

Made matrix_product(const Grower& g, TensorId x, const Gene& gene) {
  const Shape shape = g.shape(x);
  if (shape.size() < 2) return {};
  const std::int64_t inner = shape.back();
  const std::int64_t columns = 1 + gene.a % 9;
  const double spread = 1.5 / std::sqrt(static_cast<double>(inner));
  Shape out = shape;
  out.back() = columns;
  if (element_count(out) > kLargestTensor) return {};
  if (shape.size() != 2) return {g.net.shaped("MatMul", {x, g.floats({inner, columns}, -spread, spread)}, out)};
  const bool transposed = gene.b % 2 == 1;
  Made inputs = {x, g.floats(transposed ? Shape{columns, inner} : Shape{inner, columns}, -spread, spread)};
  if (gene.b / 2 % 3 != 0) inputs.push_back(g.floats(gene.b / 2 % 3 == 1 ? Shape{columns} : Shape{1}, -0.5, 0.5));
  return {g.net.shaped("Gemm", inputs, out, {{"transB", std::int64_t{transposed}}, {"alpha", 0.75F}})};
}

/// x times its own transpose, along the last two axes.
Made gram(const Grower& g, TensorId x, const Gene&) {
  Shape out = g.shape(x);
  if (out.size() < 2) return {};
  Ints order(out.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  Shape turned = out;
  std::swap(turned[turned.size() - 2], turned[turned.size() - 1]);
  out.back() = out[out.size() - 2];
  if (element_count(out) > kLargestTensor) return {};
  const TensorId right = g.net.shaped("Transpose", {x}, turned, {{"perm", order}});
  return {g.net.like_first("Softmax", {g.net.shaped("MatMul", {x, right}, out)})};
}

}  // namespace

std::span<const Grow> tensor_growths() {
  static constexpr std::array<Grow, 16> kGrowths = {
      activation, activation, activation, with_constant, with_tensor, with_tensor, concat,         split,
      slice,      transpose,  reshape,    flatten,       reduction,   softmax,     matrix_product, gram};
  return kGrowths;
}

}  // namespace cleave::exec::testing
