#pragma once

#include <functional>
#include <string>

namespace onnx {
class ModelProto;
class NodeProto;
class TensorProto;
}  // namespace onnx

namespace cleave::graph::testing {

/// Bytes of a small valid network y = Relu(x + w), x and w 1x2x3x4, at opset 13 and IR 7, after `change` edited it.
std::string small_model(const std::function<void(onnx::ModelProto&)>& change = {});

/// Appends a node.
onnx::NodeProto& add_node(onnx::ModelProto& model, const std::string& op, const std::string& input,
                          const std::string& output);

/// Lets the weight w live in a file.
void make_external(onnx::ModelProto& model, const std::string& location, const std::string& offset = {},
                   const std::string& length = {});

}  // namespace cleave::graph::testing
