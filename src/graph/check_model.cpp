#include "graph/check_model.h"

#include "core/file.h"
#include "core/text.h"
#include "graph/model.h"
#include "graph/onnx_read.h"

namespace cleave::graph {

namespace {

Finding finding_of(const Error& error, const std::string& where) {
  return {error.kind(), where, error.what(), error.hint()};
}

/// All that is wrong with the file itself; empty when it can be read.
std::vector<Finding> reading_problems(const std::filesystem::path& path) {
  std::vector<Finding> problems;
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  read_onnx({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.parent_path(), {}, problems);
  for (Finding& problem : problems) {
    if (problem.where.empty()) problem.where = path.string();
  }
  return problems;
}

constexpr const char* kUnsupportedHint = "Export the network with operators of docs/operators.md.";

/// Operators that the caller cannot run. A node that cannot even be asked about is a finding too.
void add_unsupported(const Graph& graph, const SupportTest& unsupported, std::vector<Finding>& findings) {
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const std::string where = "node '" + node.name + "' (" + node.op + ")";
    try {
      const auto why = unsupported(graph, static_cast<NodeId>(n));
      if (why) findings.push_back({ErrorKind::kUnsupported, where, *why, kUnsupportedHint});
    } catch (const Error& error) {
      findings.push_back(finding_of(error, where));
    }
  }
}

}  // namespace

ModelCheck check_model(const std::filesystem::path& path, const PrepareOptions& options,
                       const SupportTest& unsupported) {
  ModelCheck check;
  std::optional<Model> model;
  try {
    check.problems = reading_problems(path);
    if (!check.problems.empty()) return check;
    model = Model::load(path);
  } catch (const Error& error) {
    check.problems.push_back(finding_of(error, path.string()));
    return check;
  }
  try {
    PrepareOptions runnable = options;
    runnable.data_dependent = DataDependentShapes::kAccept;
    const Graph graph = prepare(model->graph(), runnable);
    add_unsupported(graph, unsupported, check.problems);
    const auto reason = why_not_cut(graph);
    if (reason && check.problems.empty()) check.why_not_cut = finding_of(*reason, path.string());
  } catch (const Error& error) {
    add_unsupported(model->graph(), unsupported, check.problems);
    check.problems.push_back(finding_of(error, path.string()));
  }
  return check;
}

}  // namespace cleave::graph
