#pragma once

#include <optional>
#include <span>
#include <vector>

#include "random_network.h"
#include "small_networks.h"

namespace cleave::exec::testing {

/// The network so far and what a gene wants of it.
struct Grower {
  NetworkBuilder& net;
  const std::vector<graph::TensorId>& tensors;  ///< made so far, inputs included

  Shape shape(graph::TensorId x) const { return net.shape(x); }
  graph::TensorId floats(const Shape& shape, double low, double high) const {
    return net.constant(random_floats(shape, net.numbers().next(), low, high));
  }
  graph::TensorId integers(const std::vector<std::int64_t>& values) const {
    return net.constant(Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  }
};

/// Applies an operator to x, as the gene's numbers say. Returns the tensors made; none when it does not fit.
using Grow = std::vector<graph::TensorId> (*)(const Grower& grower, graph::TensorId x, const Gene& gene);

/// Operators on feature maps (rank 4), and on tensors of any rank.
std::span<const Grow> image_growths();
std::span<const Grow> tensor_growths();

}  // namespace cleave::exec::testing
