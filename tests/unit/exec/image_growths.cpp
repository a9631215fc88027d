#include <algorithm>
#include <array>
#include <cmath>

#include "growths.h"

namespace cleave::exec::testing {
namespace {

using graph::TensorId;
using Made = std::vector<TensorId>;
using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, graph::AttributeValue>;

/// Sizes of a window along one axis.
struct Window {
  std::int64_t kernel, stride, dilation, before, after;

  std::int64_t span() const { return dilation * (kernel - 1) + 1; }
  std::int64_t outputs(std::int64_t size) const { return (size + before + after - span()) / stride + 1; }
  bool fits(std::int64_t size) const { return size + before + after >= span(); }
  std::int64_t transposed_outputs(std::int64_t size, std::int64_t extra) const {
    return stride * (size - 1) + extra + span() - before - after;
  }
};

std::array<Window, 2> windows(const Gene& gene, std::int64_t largest_dilation) {
  const std::int64_t dilation = 1 + gene.b / 8 % largest_dilation;
  const Window high{1 + gene.a % 4, 1 + gene.b % 2, dilation, gene.c % 2, gene.c / 2 % 2};
  const Window wide{1 + gene.a / 4 % 4, 1 + gene.b / 2 % 2, dilation, gene.c / 4 % 2, gene.c / 8 % 2};
  return {high, gene.a / 16 % 3 == 0 ? wide : high};
}

Attributes window_attributes(const std::array<Window, 2>& w) {
  return {{"kernel_shape", Ints{w[0].kernel, w[1].kernel}},
          {"strides", Ints{w[0].stride, w[1].stride}},
          {"dilations", Ints{w[0].dilation, w[1].dilation}},
          {"pads", Ints{w[0].before, w[1].before, w[0].after, w[1].after}}};
}

/// All channels together, each alone, or two groups.
std::int64_t groups_for(std::int64_t channels, std::uint32_t choice) {
  if (choice % 3 == 1) return channels;
  return choice % 3 == 2 && channels % 2 == 0 ? 2 : 1;
}

Made convolution(const Grower& g, TensorId x, const Gene& gene) {
  const Shape in = g.shape(x);
  const auto w = windows(gene, 2);
  if (!w[0].fits(in[2]) || !w[1].fits(in[3])) return {};
  const std::int64_t group = groups_for(in[1], gene.c / 16);
  const std::int64_t out = group * (1 + gene.c / 64 % (group > 2 ? 2 : 5));
  const double spread = 1.5 / std::sqrt(static_cast<double>(w[0].kernel * w[1].kernel * in[1] / group));
  Made inputs = {x, g.floats({out, in[1] / group, w[0].kernel, w[1].kernel}, -spread, spread)};
  if (gene.b / 4 % 2 == 0) inputs.push_back(g.floats({out}, -0.5, 0.5));
  Attributes attributes = window_attributes(w);
  attributes["group"] = group;
  return {g.net.shaped("Conv", inputs, {in[0], out, w[0].outputs(in[2]), w[1].outputs(in[3])}, attributes)};
}

Made transposed_convolution(const Grower& g, TensorId x, const Gene& gene) {
  const Shape in = g.shape(x);
  const auto w = windows(gene, 1);
  const std::int64_t group = groups_for(in[1], gene.c / 16);
  const std::int64_t filters = 1 + gene.c / 64 % 3;
  const std::int64_t extra = w[0].stride > 1 && w[1].stride > 1 ? gene.c / 256 % 2 : 0;
  const Shape out = {in[0], group * filters, w[0].transposed_outputs(in[2], extra),
                     w[1].transposed_outputs(in[3], extra)};
  if (out[2] < 1 || out[3] < 1 || element_count(out) > kLargestTensor) return {};
  Attributes attributes = window_attributes(w);
  attributes["group"] = group;
  attributes["output_padding"] = Ints{extra, extra};
  const double spread = 1.5 / std::sqrt(static_cast<double>(in[1] / group * w[0].kernel));
  return {g.net.shaped("ConvTranspose", {x, g.floats({in[1], filters, w[0].kernel, w[1].kernel}, -spread, spread)}, out,
                       attributes)};
}

Made pool(const Grower& g, TensorId x, const Gene& gene) {
  const Shape in = g.shape(x);
  auto w = windows(gene, 1);
  for (Window& window : w) {
    window.before = std::min(window.before, window.kernel - 1);
    window.after = std::min(window.after, window.kernel - 1);
  }
  if (!w[0].fits(in[2]) || !w[1].fits(in[3])) return {};
  Attributes attributes = window_attributes(w);
  attributes.erase("dilations");
  const bool average = gene.c / 16 % 2 == 1;
  if (average) attributes["count_include_pad"] = static_cast<std::int64_t>(gene.c / 32 % 2);
  return {g.net.shaped(average ? "AveragePool" : "MaxPool", {x},
                       {in[0], in[1], w[0].outputs(in[2]), w[1].outputs(in[3])}, attributes)};
}

Made global_pool(const Grower& g, TensorId x, const Gene& gene) {
  const Shape in = g.shape(x);
  return {g.net.shaped(gene.a % 2 == 0 ? "GlobalAveragePool" : "GlobalMaxPool", {x}, {in[0], in[1], 1, 1})};
}

/// x * sigmoid(mean of x): squeeze and excite without its two layers.
Made gate(const Grower& g, TensorId x, const Gene& gene) {
  const TensorId mean = global_pool(g, x, gene)[0];
  return {g.net.like_first("Mul", {x, g.net.like_first("Sigmoid", {mean})})};
}

Made batch_norm(const Grower& g, TensorId x, const Gene&) {
  return {g.net.batch_norm(x)};
}

Made pad(const Grower& g, TensorId x, const Gene& gene) {
  static constexpr std::array<const char*, 3> kModes = {"constant", "reflect", "edge"};
  const Shape in = g.shape(x);
  if (in[2] < 2 || in[3] < 2) return {};
  const Ints sizes = {0, 0, gene.b % 2, gene.b / 2 % 2, 0, 0, gene.b / 4 % 2, gene.b / 8 % 2};
  const Shape out = {in[0], in[1], in[2] + sizes[2] + sizes[6], in[3] + sizes[3] + sizes[7]};
  Made inputs = {x, g.integers(sizes)};
  const char* mode = kModes[gene.a % 3];
  if (gene.a % 3 == 0 && gene.c % 2 == 0) inputs.push_back(g.net.constant(Tensor::scalar(0.25F)));
  return {g.net.shaped("Pad", inputs, out, {{"mode", std::string(mode)}})};
}

Made resize(const Grower& g, TensorId x, const Gene& gene) {
  static constexpr std::array<const char*, 3> kCoordinates = {"half_pixel", "align_corners", "asymmetric"};
  const Shape in = g.shape(x);
  const Shape out = {in[0], in[1], 2 + in[2] * (gene.b % 3) / 2, 2 + in[3] * (gene.c % 3) / 2};
  if (element_count(out) > kLargestTensor) return {};
  const bool linear = gene.a % 2 == 1;
  const std::size_t coordinates = linear ? gene.a / 2 % 3 : 2;
  Attributes attributes = {{"mode", std::string(linear ? "linear" : "nearest")},
                           {"coordinate_transformation_mode", std::string(kCoordinates[coordinates])}};
  if (!linear) attributes["nearest_mode"] = std::string("floor");
  return {g.net.shaped("Resize", {x, TensorId::kNone, TensorId::kNone, g.integers(out)}, out, attributes)};
}

Made shuffle(const Grower& g, TensorId x, const Gene&) {
  const std::int64_t channels = g.shape(x)[1];
  if (channels % 2 != 0) return {};
  return {g.net.channel_shuffle(x, 2)};
}

Made depth_to_space(const Grower& g, TensorId x, const Gene& gene) {
  const Shape in = g.shape(x);
  if (in[1] % 4 != 0) return {};
  return {g.net.shaped("DepthToSpace", {x}, {in[0], in[1] / 4, 2 * in[2], 2 * in[3]},
                       {{"blocksize", std::int64_t{2}}, {"mode", std::string(gene.a % 2 == 0 ? "DCR" : "CRD")}})};
}

}  // namespace

std::span<const Grow> image_growths() {
  static constexpr std::array<Grow, 13> kGrowths = {
      convolution, convolution, convolution, transposed_convolution, pool, pool, global_pool, gate, batch_norm,
      pad,         resize,      shuffle,     depth_to_space};
  return kGrowths;
}

}  // namespace cleave::exec::testing
