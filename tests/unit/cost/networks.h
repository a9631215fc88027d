#pragma once

#include <string>
#include <vector>

#include "cost/unit_work.h"
#include "graph/builder.h"

namespace cleave::cost::testing {

/// A network of one unit under test: inputs, zero constants, one node, a declared output shape.
class OneUnit {
 public:
  graph::TensorId input(const std::string& name, Shape shape) {
    return builder_.input(name, DType::kFloat32, std::move(shape));
  }
  graph::TensorId weight(const std::string& name, Shape shape) {
    return builder_.constant(name, Tensor(DType::kFloat32, std::move(shape)));
  }
  graph::TensorId node(const std::string& op, std::vector<graph::TensorId> inputs, Shape shape,
                       std::map<std::string, graph::AttributeValue> attributes = {}) {
    const std::string name = builder_.free_name(op);
    const graph::TensorId id = builder_.node(op, std::move(inputs), {name}, std::move(attributes))[0];
    builder_.set_shape(id, DType::kFloat32, std::move(shape));
    last_ = id;
    return id;
  }
  /// The whole graph, its last node's output being the network's.
  graph::Graph build() {
    builder_.output(last_);
    return builder_.build();
  }
  /// The only unit's work.
  UnitWork work() { return describe(build(), graph::UnitId{0}); }

 private:
  graph::GraphBuilder builder_;
  graph::TensorId last_ = graph::TensorId::kNone;
};

using Integers = std::vector<std::int64_t>;

}  // namespace cleave::cost::testing
