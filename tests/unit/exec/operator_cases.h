#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::exec::testing {

/// One input of a node under test.
struct Operand {
  enum class Kind { kInput, kConstant, kAbsent };
  Kind kind = Kind::kInput;
  Tensor value;
};

Operand input(Tensor value);
Operand constant(Tensor value);
Operand absent();
/// Constant vectors, as axes, pads and scales come.
Operand integers(const std::vector<std::int64_t>& values);
Operand numbers(const std::vector<float>& values);
Operand number(float value);
/// Seeded noise: the feature map and the weights that most cases use.
inline const Shape kImage = {2, 6, 9, 7};
Operand image(std::uint64_t seed = 1, const Shape& shape = kImage);
Operand weights(const Shape& shape);

using Attributes = std::map<std::string, graph::AttributeValue>;
using Integers = std::vector<std::int64_t>;

/// One node with everything that goes into it.
struct OperatorCase {
  std::string label;
  std::string op;
  std::vector<Operand> inputs;
  Attributes attributes;
  std::vector<DType> outputs;  ///< element types; empty: one output of the first input's type
};

/// Runs all cases in one graph through ONNX Runtime and through sessions of both kernels, and expects equal outputs:
/// integers exactly, floats within `tolerance` of the output's range. A case whose first input is a float32 image is
/// run three times: straight from the network's input, behind a convolution that changes nothing (so that fast kernels
/// see channels-last data and fusion), and behind one whose output is visible (no fusion).
void expect_like_onnx_runtime(const std::vector<OperatorCase>& cases, int opset = 13, double tolerance = 1e-5);

}  // namespace cleave::exec::testing
