#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exec/staged/dynamic_node.h"

namespace cleave::exec {

/// Operators that hold graphs and run them: If, Loop, Scan.
std::span<const std::string_view> control_flow_operators();

bool is_control_flow(const graph::Node& node);

/// Why the node cannot run here: the first node of its graphs, or of theirs, that cannot. Shapes inside are only known
/// when it runs. Throws Error(kInvalidInput) when a graph is missing.
std::optional<std::string> unsupported_inside(const graph::Node& node);

/// `graph` must outlive the result.
std::unique_ptr<DynamicNode> make_control_flow(const graph::Graph& graph, graph::NodeId id,
                                               const SessionOptions& options);

}  // namespace cleave::exec
