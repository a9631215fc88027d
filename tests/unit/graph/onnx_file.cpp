#include "onnx_file.h"

#include <onnx/onnx_pb.h>

namespace cleave::graph::testing {

namespace {

void set_type(onnx::ValueInfoProto& value, const std::string& name) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t dimension : {1, 2, 3, 4}) type.mutable_shape()->add_dim()->set_dim_value(dimension);
}

}  // namespace

std::string small_model(const std::function<void(onnx::ModelProto&)>& change) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  auto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(13);
  auto& graph = *model.mutable_graph();
  graph.set_name("small");
  set_type(*graph.add_input(), "x");
  set_type(*graph.add_output(), "y");
  auto& weight = *graph.add_initializer();
  weight.set_name("w");
  weight.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t dimension : {1, 2, 3, 4}) weight.add_dims(dimension);
  for (int i = 0; i < 24; ++i) weight.add_float_data(static_cast<float>(i) - 12.0F);
  onnx::NodeProto& sum = add_node(model, "Add", "x", "sum");
  sum.add_input("w");
  add_node(model, "Relu", "sum", "y");
  if (change) change(model);
  return model.SerializeAsString();
}

onnx::NodeProto& add_node(onnx::ModelProto& model, const std::string& op, const std::string& input,
                          const std::string& output) {
  auto& node = *model.mutable_graph()->add_node();
  node.set_op_type(op);
  node.add_input(input);
  node.add_output(output);
  return node;
}

void make_external(onnx::ModelProto& model, const std::string& location, const std::string& offset,
                   const std::string& length) {
  auto& weight = *model.mutable_graph()->mutable_initializer(0);
  weight.clear_float_data();
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto set = [&weight](const std::string& key, const std::string& value) {
    if (value.empty()) return;
    auto& entry = *weight.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  set("location", location);
  set("offset", offset);
  set("length", length);
}

}  // namespace cleave::graph::testing
