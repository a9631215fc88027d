#include "graph/operator_versions.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <map>

namespace cleave::graph {

namespace {

std::map<std::string, int> read_first_opsets() {
  std::map<std::string, int> first;
  for (const onnx::OpSchema& schema : onnx::OpSchemaRegistry::get_all_schemas_with_history()) {
    if (!schema.domain().empty()) continue;
    int& version = first.try_emplace(schema.Name(), schema.SinceVersion()).first->second;
    version = std::min(version, schema.SinceVersion());
  }
  return first;
}

}  // namespace

std::optional<int> first_opset_of(const std::string& op) {
  static const std::map<std::string, int> kFirst = read_first_opsets();
  const auto found = kFirst.find(op);
  return found == kFirst.end() ? std::nullopt : std::optional(found->second);
}

int newest_known_opset() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
}

}  // namespace cleave::graph
