#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/check_model.h"
#include "graph/graph.h"
#include "graph/model.h"
#include "graph/onnx_codec.h"

namespace cleave::graph {

/// The network of a message, which loses its weights' raw bytes. `left_out` are the constants that a skeleton shows as
/// inputs. What is wrong goes to `problems`; then the result is empty.
std::optional<Graph> read_graph(const std::shared_ptr<onnx::ModelProto>& model, ExternalData& external,
                                const LoadOptions& options, const std::map<std::string, Tensor>& left_out,
                                std::vector<Finding>& problems);

/// The network that ONNX bytes describe, at its own opset and IR version. Constant nodes are read as constants.
std::optional<Graph> read_onnx(std::string_view bytes, const std::filesystem::path& folder, const LoadOptions& options,
                               std::vector<Finding>& problems);

/// The same network at another opset, by libonnx's version converter.
/// Throws Error(kUnsupported) when it cannot be converted.
Graph raise_opset(const Graph& graph, int opset);

/// Types and shapes that libonnx infers from inputs, constants and what the graph says already; by tensor name.
/// Empty where the inference gives up.
std::map<std::string, TensorInfo> infer_types(const Graph& graph);

/// A copy of the graph that says of each tensor what `types` says, where that is more than it knew.
Graph with_types(const Graph& graph, const std::map<std::string, TensorInfo>& types);

/// The newest IR version that the installed libonnx knows.
int newest_known_ir_version();

}  // namespace cleave::graph
