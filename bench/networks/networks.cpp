#include "networks.h"

#include <array>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "layers.h"

namespace cleave::bench {

graph::Graph one_relu() {
  LayerWriter net("one_relu");
  net.output(net.relu(net.image(1)), {3, 1, 1});
  return net.finish();
}

std::span<const NamedNetwork> networks() {
  static constexpr std::array<NamedNetwork, 11> kNetworks = {{
      {"resnet18", 224, 1'814'073'344, 11'689'512, resnet18},
      {"resnet50", 224, 4'089'184'256, 25'557'032, resnet50},
      {"resnext50_32x4d", 224, 4'230'479'872, 25'028'904, resnext50_32x4d},
      {"mobilenet_v2", 224, 300'774'272, 3'504'872, mobilenet_v2},
      {"mnasnet1_0", 224, 314'415'872, 4'383'312, mnasnet1_0},
      {"googlenet", 224, 1'498'376'192, 6'624'904, googlenet},
      {"vgg16", 224, 15'470'264'320, 138'357'544, vgg16},
      {"yolov3-416", 416, 32'932'037'632, 61'949'149, yolov3},
      {"yolov3-tiny-416", 416, 2'782'480'896, 8'852'366, yolov3_tiny},
      {"yolov3-spp-416", 416, 33'109'246'976, 62'998'749, yolov3_spp},
      {"one_relu", 1, 0, 0, one_relu},
  }};
  return kNetworks;
}

const NamedNetwork& network_named(const std::string& name) {
  std::vector<std::string> known;
  for (const NamedNetwork& network : networks()) {
    if (name == network.name) return network;
    known.emplace_back(network.name);
  }
  throw Error(ErrorKind::kUsage, "no network is called '" + name + "'" + did_you_mean(name, known),
              "--list shows them all.");
}

}  // namespace cleave::bench
