#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"

namespace cleave::graph {

/// The graph as ONNX bytes: opset, IR version, names, metadata and symbolic dimensions as the graph has them;
/// deterministic (same graph, same bytes). Intermediate value_info is written where known.
/// The result passes the ONNX checker (run here when the installed libonnx knows the opset).
/// Throws Error(kInvalidInput) with the checker's message.
std::string to_onnx(const Graph& graph);

/// to_onnx written atomically. Throws Error(kIo).
void save_onnx(const Graph& graph, const std::filesystem::path& path);

}  // namespace cleave::graph
