#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "exec/session.h"
#include "graph/check_model.h"

namespace cleave::cli {

namespace {

Json to_json(const graph::Finding& finding) {
  return {{"kind", finding.kind == ErrorKind::kUnsupported ? "unsupported" : "invalid"},
          {"where", finding.where},
          {"what", finding.what},
          {"hint", finding.hint}};
}

Json to_json(const std::string& path, const graph::ModelCheck& check) {
  Json document = make_document("check");
  document["model"] = path;
  document["ok"] = check.problems.empty();
  document["problems"] = Json::array();
  for (const graph::Finding& finding : check.problems) document["problems"].push_back(to_json(finding));
  document["can_be_cut"] = check.problems.empty() && !check.why_not_cut;
  document["why_not_cut"] = check.why_not_cut ? to_json(*check.why_not_cut) : Json(nullptr);
  return document;
}

std::string to_table(const std::string& path, const graph::ModelCheck& check) {
  if (check.why_not_cut) return "runs, but cannot be cut  " + path + "\n    " + check.why_not_cut->what + "\n";
  if (check.problems.empty()) return "ok  " + path + "\n";
  std::string text;
  for (const graph::Finding& finding : check.problems) {
    text += finding.where + ": " + finding.what + "\n";
    if (!finding.hint.empty()) text += "    " + finding.hint + "\n";
  }
  return text + std::to_string(check.problems.size()) + (check.problems.size() == 1 ? " problem\n" : " problems\n");
}

}  // namespace

int run_check(const std::vector<std::string>& arguments) {
  CommandLine line("check", "Lists every problem of a model at once, with the way out, and says whether it can be cut.",
                   "  cleave check model.onnx\n  cleave check model.onnx --shape input=1x3x224x224 --json");
  std::string model;
  std::vector<std::string> shapes;
  line.model(model);
  line.shapes(shapes);
  if (!line.parse(arguments)) return 0;

  const graph::ModelCheck check = graph::check_model(model, parse_shapes(shapes), exec::unsupported_reason);
  line.json() ? write_result(to_json(model, check)) : write_result(to_table(model, check));
  return check.problems.empty() ? 0 : exit_code(check.problems.front().kind);
}

}  // namespace cleave::cli
