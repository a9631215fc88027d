#include "graph/model.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "graph/builder.h"
#include "graph/onnx_read.h"

namespace cleave::graph {

namespace {

constexpr int kOpset = 13;
constexpr int kIrVersion = 7;

Error first_of(const std::vector<Finding>& problems) {
  const Finding& first = problems.front();
  const std::string where = first.where.empty() ? "" : first.where + ": ";
  const std::size_t others = problems.size() - 1;
  const std::string more = others == 0 ? "" : " (and " + std::to_string(others) + " more problems: cleave check)";
  return Error(first.kind, where + first.what + more, first.hint);
}

/// RoiAlign got its shift by half a pixel, and an attribute that says so, in opset 16: what is older is raised to
/// there, so that the attribute is the only thing to look at.
int wanted_opset(const Graph& graph) {
  constexpr int kRoiAlignWithModes = 16;
  const auto nodes = graph.nodes();
  const bool aligns = std::any_of(nodes.begin(), nodes.end(),
                                  [](const Node& node) { return node.op == "RoiAlign" && node.domain.empty(); });
  return aligns ? kRoiAlignWithModes : kOpset;
}

Graph at_current_versions(Graph graph) {
  if (const int wanted = wanted_opset(graph); graph.opset() < wanted) return raise_opset(graph, wanted);
  if (graph.ir_version() >= kIrVersion) return graph;
  GraphBuilder builder(graph);
  builder.set_versions(graph.opset(), kIrVersion);
  return builder.build();
}

}  // namespace

Model Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return parse(text, path.string(), path.parent_path(), options);
}

Model Model::parse(std::string_view bytes, const std::string& name, const std::filesystem::path& folder,
                   const LoadOptions& options) {
  std::vector<Finding> problems;
  std::optional<Graph> graph = read_onnx(bytes, folder, options, problems);
  if (!graph) throw first_of(problems).within(name);
  Model model;
  model.path_ = name;
  model.sha256_ = sha256_hex(bytes);
  model.original_opset_ = graph->opset();
  model.original_ir_version_ = graph->ir_version();
  try {
    const Graph current = at_current_versions(std::move(*graph));
    model.graph_ = std::make_shared<const Graph>(with_types(current, infer_types(current)));
  } catch (const Error& error) {
    throw error.within(name);
  }
  return model;
}

bool Model::symbolic_batch() const {
  const auto inputs = graph_->inputs();
  return !inputs.empty() && std::all_of(inputs.begin(), inputs.end(), [this](TensorId id) {
    const TensorInfo& info = graph_->tensor(id);
    return info.ranked && !info.shape.empty() && info.shape.front() < 0;
  });
}

}  // namespace cleave::graph
