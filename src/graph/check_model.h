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

struct ModelCheck {
  std::vector<Finding> problems;       ///< that keep it from running, in file order
  std::optional<Finding> why_not_cut;  ///< of a network that runs, but has shapes that only a run can tell
};

/// Every problem of a model file at once. Loads, prepares and asks `unsupported` for each node. Never throws for what
/// the file contains.
ModelCheck check_model(const std::filesystem::path& path, const PrepareOptions& options,
                       const SupportTest& unsupported);

}  // namespace cleave::graph
