#include <array>

#include "layers.h"
#include "networks.h"

namespace cleave::bench {
namespace {

constexpr std::int64_t kSide = 416;
/// Three boxes per pixel: four edges, one for being an object, 80 classes.
constexpr std::int64_t kHeadChannels = 3 * (4 + 1 + 80);

/// Layers in a row as a Darknet file lists them. Each has a number, which names it; later ones may read it again.
class Darknet {
 public:
  explicit Darknet(const std::string& name) : net_(name), x_(net_.image(kSide)) {}

  /// A convolution with batch norm and leaky rectifier.
  void conv(const ConvShape& shape, double gain = kBeforeRelu) {
    push(net_.leaky_relu(net_.conv_norm(next_name() + ".Conv2d", x_, shape, gain)));
  }
  /// Adds what the layer before the last `back` made.
  void shortcut(std::size_t back) { push(net_.add(next_name(), x_, made_[made_.size() - back])); }
  void max_pool(const PoolShape& shape) { push(net_.max_pool(next_name(), x_, shape)); }
  void upsample() { push(net_.upsample(next_name(), x_)); }
  /// Goes on from a layer already made.
  void route(std::size_t layer) { push(made_.at(layer)); }
  void route(const std::vector<std::size_t>& layers);
  /// A head: 255 plain channels, `side` pixels square, an output of the network; counts for two layers.
  void detect(std::int64_t side);

  /// The number of the layer made last.
  std::size_t last() const { return made_.size() - 1; }
  graph::Graph finish() { return net_.finish(); }

 private:
  std::string next_name() const { return "module_list." + std::to_string(made_.size()); }
  void push(Feature x) {
    x_ = x;
    made_.push_back(x);
  }

  LayerWriter net_;
  Feature x_;
  std::vector<Feature> made_;
};

void Darknet::route(const std::vector<std::size_t>& layers) {
  std::vector<Feature> parts;
  for (const std::size_t layer : layers) parts.push_back(made_.at(layer));
  push(net_.concat(next_name(), parts));
}

void Darknet::detect(std::int64_t side) {
  push(net_.biased_conv(next_name() + ".Conv2d", x_, {kHeadChannels, 1}, kLinear));
  net_.output(x_, {kHeadChannels, side, side});
  push(x_);
}

/// Halves the side, then `blocks` residual blocks. No rectifier follows the additions and halves what they add up: the
/// branches add less.
void residual_stage(Darknet& net, std::int64_t channels, int blocks) {
  net.conv({channels, 3, 2});
  for (int i = 0; i < blocks; ++i) {
    net.conv({channels / 2});
    net.conv({channels, 3}, kBranch / 2);
    net.shortcut(3);
  }
}

/// Darknet-53 without its classifier. Returns the last layers at 52 and at 26 pixels.
std::array<std::size_t, 2> darknet53(Darknet& net) {
  net.conv({32, 3});
  residual_stage(net, 64, 1);
  residual_stage(net, 128, 2);
  residual_stage(net, 256, 8);
  const std::size_t at_52 = net.last();
  residual_stage(net, 512, 8);
  const std::size_t at_26 = net.last();
  residual_stage(net, 1024, 4);
  return {at_52, at_26};
}

/// `pairs` times 1x1 and 3x3 to twice the channels.
void conv_pairs(Darknet& net, std::int64_t channels, int pairs) {
  for (int i = 0; i < pairs; ++i) {
    net.conv({channels});
    net.conv({2 * channels, 3});
  }
}

/// The result beside its own maxima over 5, 9 and 13 pixels.
void spatial_pyramid(Darknet& net) {
  const std::size_t start = net.last();
  net.max_pool({5, 1, 2, 2});
  net.route(start);
  net.max_pool({9, 1, 4, 4});
  net.route(start);
  net.max_pool({13, 1, 6, 6});
  net.route({start + 5, start + 3, start + 1, start});
}

/// Goes back to the layer before the head's 3x3 convolution, halves its channels and joins it to a larger map.
void grow(Darknet& net, std::int64_t channels, std::size_t larger) {
  net.route(net.last() - 3);
  net.conv({channels});
  net.upsample();
  net.route({net.last(), larger});
}

graph::Graph large(const std::string& name, bool pyramid) {
  Darknet net(name);
  const auto [at_52, at_26] = darknet53(net);
  conv_pairs(net, 512, 1);
  if (pyramid) {
    net.conv({512});
    spatial_pyramid(net);
    conv_pairs(net, 512, 2);
  } else {
    conv_pairs(net, 512, 2);
  }
  net.detect(13);
  grow(net, 256, at_26);
  conv_pairs(net, 256, 3);
  net.detect(26);
  grow(net, 128, at_52);
  conv_pairs(net, 128, 3);
  net.detect(52);
  return net.finish();
}

}  // namespace

graph::Graph yolov3() {
  return large("yolov3", false);
}

graph::Graph yolov3_spp() {
  return large("yolov3-spp", true);
}

graph::Graph yolov3_tiny() {
  Darknet net("yolov3-tiny");
  for (const std::int64_t channels : {16, 32, 64, 128}) {
    net.conv({channels, 3});
    net.max_pool({2, 2});
  }
  net.conv({256, 3});
  const std::size_t at_26 = net.last();
  net.max_pool({2, 2});
  net.conv({512, 3});
  net.max_pool({2, 1, 0, 1});
  net.conv({1024, 3});
  conv_pairs(net, 256, 1);
  net.detect(13);
  grow(net, 128, at_26);
  net.conv({256, 3});
  net.detect(26);
  return net.finish();
}

}  // namespace cleave::bench
