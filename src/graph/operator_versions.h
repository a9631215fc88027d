#pragma once

#include <optional>
#include <string>

namespace cleave::graph {

/// The opset with which an operator of ONNX's own domain came, as far as the installed libonnx knows it.
std::optional<int> first_opset_of(const std::string& op);

/// The newest opset whose operators the installed libonnx knows.
int newest_known_opset();

}  // namespace cleave::graph
