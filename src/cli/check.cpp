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

Json to_json(const std::string& path, const std::vector<graph::Finding>& findings) {
  Json document = make_document("check");
  document["model"] = path;
  document["ok"] = findings.empty();
  document["problems"] = Json::array();
  for (const graph::Finding& finding : findings) {
    document["problems"].push_back({{"kind", finding.kind == ErrorKind::kUnsupported ? "unsupported" : "invalid"},
                                    {"where", finding.where},
                                    {"what", finding.what},
                                    {"hint", finding.hint}});
  }
  return document;
}

std::string to_table(const std::string& path, const std::vector<graph::Finding>& findings) {
  if (findings.empty()) return "ok  " + path + "\n";
  std::string text;
  for (const graph::Finding& finding : findings) {
    text += finding.where + ": " + finding.what + "\n";
    if (!finding.hint.empty()) text += "    " + finding.hint + "\n";
  }
  return text + std::to_string(findings.size()) + (findings.size() == 1 ? " problem\n" : " problems\n");
}

}  // namespace

int run_check(const std::vector<std::string>& arguments) {
  CommandLine line("check", "Lists every problem of a model at once, with the way out.",
                   "  cleave check model.onnx\n  cleave check model.onnx --shape input=1x3x224x224 --json");
  std::string model;
  std::vector<std::string> shapes;
  line.model(model);
  line.shapes(shapes);
  if (!line.parse(arguments)) return 0;

  const auto findings = graph::check_model(model, parse_shapes(shapes), exec::unsupported_reason);
  line.json() ? write_result(to_json(model, findings)) : write_result(to_table(model, findings));
  return findings.empty() ? 0 : exit_code(findings.front().kind);
}

}  // namespace cleave::cli
