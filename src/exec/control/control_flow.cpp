#include "exec/control/control_flow.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "exec/control/if.h"
#include "exec/control/loop.h"
#include "exec/control/scan.h"

namespace cleave::exec {
namespace {

template <typename Kind>
std::unique_ptr<DynamicNode> make(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options) {
  return std::make_unique<Kind>(graph, node, options);
}

constexpr std::array<std::string_view, 3> kNames{"If", "Loop", "Scan"};

}  // namespace

std::span<const std::string_view> control_flow_operators() {
  return kNames;
}

bool is_control_flow(const graph::Node& node) {
  return node.domain.empty() && std::find(kNames.begin(), kNames.end(), node.op) != kNames.end();
}

std::optional<std::string> unsupported_inside(const graph::Node& node) {
  for (const auto& [key, value] : node.attributes) {
    const auto* inner = std::get_if<std::shared_ptr<const graph::Graph>>(&value);
    if (inner == nullptr) continue;
    for (std::size_t n = 0; n < (*inner)->nodes().size(); ++n) {
      const auto reason = unsupported_reason(**inner, static_cast<graph::NodeId>(n));
      const graph::Node& at = (*inner)->nodes()[n];
      if (reason) return "in its " + key + ", node '" + at.name + "' (" + at.op + "): " + *reason;
    }
  }
  return std::nullopt;
}

std::unique_ptr<DynamicNode> make_control_flow(const graph::Graph& graph, graph::NodeId id,
                                               const SessionOptions& options) {
  const graph::Node& node = graph.node(id);
  if (node.op == "If") return make<If>(graph, node, options);
  if (node.op == "Loop") return make<Loop>(graph, node, options);
  CLEAVE_CHECK(node.op == "Scan", "the list above names them all");
  return make<Scan>(graph, node, options);
}

}  // namespace cleave::exec
