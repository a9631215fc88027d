#include "heads.h"

namespace cleave::bench {

graph::Graph classify(LayerWriter& net, Feature x, const std::string& name) {
  const Feature pooled = net.flatten("flatten", net.global_pool("avgpool", x), 1);
  net.output(net.linear(name, pooled, 1000, kLinear), {1000});
  return net.finish();
}

}  // namespace cleave::bench
