#include "graph/prepare.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"
#include "graph/builder.h"
#include "graph/declared_shapes.h"
#include "graph/passes/passes.h"
#include "graph/resolve_shapes.h"

namespace cleave::graph {

namespace {

/// Runs one pass over all nodes, front to back; a rewrite is looked at again, together with the nodes before it.
int run_pass(const Pass& pass, Graph& graph) {
  int fired = 0;
  for (std::size_t n = 0; n < graph.nodes().size();) {
    const std::optional<Patch> patch = pass.propose(graph, static_cast<NodeId>(n));
    if (!patch) {
      ++n;
      continue;
    }
    graph = apply(graph, *patch);
    validate(graph);
    ++fired;
    n -= std::min(n, patch->remove.size());
  }
  return fired;
}

Error unknown_shape(const Graph& graph, NodeId id, const TensorInfo& info) {
  const Node& node = graph.node(id);
  const std::string domain = node.domain.empty() ? "" : node.domain + ".";
  return Error(ErrorKind::kUnsupported,
               "node '" + node.name + "' (" + domain + node.op + "): the " +
                   (info.dtype == DType::kUndefined ? "type" : "shape") + " of its output '" + info.name +
                   "' cannot be known before the network runs",
               "cleave run can run such a network; calibration and search need every shape beforehand.");
}

}  // namespace

std::optional<Error> why_not_cut(const Graph& graph) {
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const TensorId id : graph.nodes()[n].outputs) {
      if (id == TensorId::kNone) continue;
      const TensorInfo& info = graph.tensor(id);
      // What comes after it is a consequence.
      if (!is_fully_known(info)) return unknown_shape(graph, static_cast<NodeId>(n), info);
      try {
        element_count(info.shape);
      } catch (const Error& error) {
        return error.within("node '" + graph.nodes()[n].name + "'");
      }
    }
  }
  return std::nullopt;
}

Graph simplify(const Graph& raw, std::vector<PassReport>* report) {
  Graph graph = raw;
  std::vector<PassReport> counts;
  for (const Pass& pass : pass_table()) counts.push_back({pass.name, 0});
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t p = 0; p < counts.size(); ++p) {
      const int fired = run_pass(pass_table()[p], graph);
      counts[p].fired += fired;
      changed |= fired > 0;
    }
  }
  if (report != nullptr) *report = counts;
  return graph;
}

Graph prepare(const Graph& raw, const PrepareOptions& options, std::vector<PassReport>* report) {
  validate(raw);
  Resolved resolved = resolve_shapes(fix_inputs(raw, options));
  if (const std::optional<Graph> completed = with_declared_shapes(resolved.graph, raw)) {
    const int folded = resolved.folded;
    resolved = resolve_shapes(*completed);
    resolved.folded += folded;
  }
  if (options.data_dependent == DataDependentShapes::kRefuse) {
    if (const auto reason = why_not_cut(resolved.graph)) throw *reason;
  }
  Graph graph = simplify(resolved.graph, report);
  if (report != nullptr) report->front().fired += resolved.folded;
  return graph;
}

Graph specialize(const Graph& graph, std::span<const InputFacts> inputs) {
  CLEAVE_CHECK(inputs.size() == graph.inputs().size(), "the caller knows the graph's inputs");
  GraphBuilder builder(graph);
  forget_shapes(builder, graph);
  std::vector<TensorId> open;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorId id = graph.inputs()[i];
    if (inputs[i].value != nullptr) {
      builder.set_constant(id, *inputs[i].value);
    } else {
      builder.set_shape(id, inputs[i].dtype, inputs[i].shape);
      open.push_back(id);
    }
  }
  builder.set_inputs(std::move(open));
  return resolve_shapes(builder.build()).graph;
}

Graph prepare(const Model& model, const PrepareOptions& options, std::vector<PassReport>* report) {
  try {
    return prepare(model.graph(), options, report);
  } catch (const Error& error) {
    throw error.within(model.path());
  }
}

}  // namespace cleave::graph
