#pragma once

#include <string>

#include "layers.h"

namespace cleave::bench {

/// Ends a network: global average pool, Flatten, and the fully connected layer `name` with its 1000 scores.
graph::Graph classify(LayerWriter& net, Feature x, const std::string& name);

}  // namespace cleave::bench
