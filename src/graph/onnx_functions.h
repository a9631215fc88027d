#pragma once

#include <cstdint>

namespace onnx {
class ModelProto;
}

namespace cleave::graph {

/// Replaces every call of a function of the model by the function's nodes, in the network, in its subgraphs and in
/// other functions; afterwards the model has no functions. Tensors and nodes of a call get the prefix "<call>/".
/// Throws Error(kUnsupported) for functions that call themselves or mean another opset than the model;
/// Error(kInvalidInput) for a call that does not fit, or when there are more than `max_nodes` nodes in the end.
void inline_functions(onnx::ModelProto& model, std::int64_t max_nodes);

}  // namespace cleave::graph
