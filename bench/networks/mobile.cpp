#include <array>
#include <span>

#include "heads.h"
#include "networks.h"

namespace cleave::bench {
namespace {

/// `blocks` inverted residuals, the first with the stride.
struct Stage {
  std::int64_t expansion, channels;
  int blocks;
  std::int64_t stride, kernel;
};

/// How a family writes its blocks: its rectifier, and where a block's three convolutions stand.
struct Family {
  Feature (LayerWriter::*rectify)(Feature);
  std::array<const char*, 3> layers;
};

/// 1x1 to `expansion` times the channels (left out at 1), depthwise, 1x1 to `channels`; the input is added where the
/// shape stays.
Feature inverted_residual(LayerWriter& net, const Family& family, const std::string& name, Feature x,
                          const Stage& stage) {
  const auto rectify = [&](Feature y) { return (net.*family.rectify)(y); };
  const bool residual = stage.stride == 1 && x.channels == stage.channels;
  Feature y = x;
  if (stage.expansion > 1) {
    y = rectify(net.conv_norm(name + family.layers[0], x, {x.channels * stage.expansion}, kBeforeRelu));
  }
  y = rectify(
      net.conv_norm(name + family.layers[1], y, {y.channels, stage.kernel, stage.stride, y.channels}, kBeforeRelu));
  y = net.conv_norm(name + family.layers[2], y, {stage.channels}, residual ? kBranch : kLinear);
  return residual ? net.add(name + ".add", x, y) : y;
}

std::string numbered(const std::string& prefix, std::size_t number) {
  return prefix + std::to_string(number);
}

}  // namespace

graph::Graph mobilenet_v2() {
  constexpr Family kFamily = {&LayerWriter::relu6, {".conv.0.0", ".conv.1.0", ".conv.2"}};
  constexpr Family kFirst = {&LayerWriter::relu6, {"", ".conv.0.0", ".conv.1"}};
  constexpr std::array<Stage, 7> kStages = {{{1, 16, 1, 1, 3},
                                             {6, 24, 2, 2, 3},
                                             {6, 32, 3, 2, 3},
                                             {6, 64, 4, 2, 3},
                                             {6, 96, 3, 1, 3},
                                             {6, 160, 3, 2, 3},
                                             {6, 320, 1, 1, 3}}};
  LayerWriter net("mobilenet_v2");
  Feature x = net.relu6(net.conv_norm("features.0.0", net.image(224), {32, 3, 2}, kBeforeRelu));
  std::size_t number = 1;
  for (Stage stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i, stage.stride = 1) {
      x = inverted_residual(net, stage.expansion == 1 ? kFirst : kFamily, numbered("features.", number++), x, stage);
    }
  }
  x = net.relu6(net.conv_norm("features.18.0", x, {1280}, kBeforeRelu));
  return classify(net, x, "classifier.1");
}

graph::Graph mnasnet1_0() {
  constexpr Family kFamily = {&LayerWriter::relu, {".layers.0", ".layers.3", ".layers.6"}};
  constexpr std::array<Stage, 6> kStages = {
      {{3, 24, 3, 2, 3}, {3, 40, 3, 2, 5}, {6, 80, 3, 2, 5}, {6, 96, 2, 1, 3}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}}};
  LayerWriter net("mnasnet1_0");
  Feature x = net.relu(net.conv_norm("layers.0", net.image(224), {32, 3, 2}, kBeforeRelu));
  x = net.relu(net.conv_norm("layers.3", x, {32, 3, 1, 32}, kBeforeRelu));
  x = net.conv_norm("layers.6", x, {16}, kLinear);
  std::size_t number = 8;
  for (Stage stage : kStages) {
    const std::string place = numbered("layers.", number++) + ".";
    for (int i = 0; i < stage.blocks; ++i, stage.stride = 1) {
      x = inverted_residual(net, kFamily, place + std::to_string(i), x, stage);
    }
  }
  x = net.relu(net.conv_norm("layers.14", x, {1280}, kBeforeRelu));
  return classify(net, x, "classifier.1");
}

}  // namespace cleave::bench
