#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "graph/graph.h"
#include "graph/prepare.h"

namespace cleave::graph {

/// One thing that is wrong with a model, with the way out.
struct Finding {
  ErrorKind kind;
  std::string where;  ///< node, tensor or file
  std::string what;
  std::string hint;
};

/// Why a node cannot run, or empty: given by the caller (exec knows the kernels, graph does not).
using SupportTest = std::function<std::optional<std::string>(const Graph&, NodeId)>;

/// Every problem of a model file at once, in file order; empty when all is well. Loads, prepares and asks
/// `unsupported` for each node. Never throws for what the file contains.
std::vector<Finding> check_model(const std::filesystem::path& path, const PrepareOptions& options,
                                 const SupportTest& unsupported);

}  // namespace cleave::graph
