#include "case.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <ostream>

#include "core/error.h"
#include "core/file.h"
#include "graph/external_data.h"
#include "graph/onnx_codec.h"

namespace cleave::conformance {
namespace {

namespace fs = std::filesystem;

fs::path data_dir() {
  return CLEAVE_ONNX_TESTDATA_DIR;
}

Tensor read_value(const fs::path& file) {
  auto proto = std::make_shared<onnx::TensorProto>();
  if (!proto->ParseFromString(read_file(file))) {
    throw Error(ErrorKind::kUnsupported, file.filename().string() + " is no tensor");
  }
  graph::ExternalData nothing_outside("");
  return graph::read_tensor(*proto, proto, nothing_outside);
}

/// prefix_0.pb, prefix_1.pb, ... as far as they go.
std::vector<Tensor> read_values(const fs::path& folder, const std::string& prefix) {
  std::vector<Tensor> values;
  for (int i = 0;; ++i) {
    const fs::path file = folder / (prefix + "_" + std::to_string(i) + ".pb");
    if (!fs::exists(file)) return values;
    values.push_back(read_value(file));
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.label();
}

bool has_cases() {
  return fs::is_directory(data_dir() / "node");
}

std::string why_no_cases() {
  return "needs ONNX's conformance data (Debian: libonnx-testdata; CMake: CLEAVE_ONNX_TESTDATA), " +
         data_dir().string() + " is absent";
}

std::vector<Case> cases_of(const std::string& folder) {
  if (!has_cases()) return {{folder, "no_data", {}}};
  std::vector<Case> cases;
  for (const auto& entry : fs::directory_iterator(data_dir() / folder)) {
    const Case found{folder, entry.path().filename().string(), entry.path()};
    if (fs::exists(found.model())) cases.push_back(found);
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

std::vector<DataSet> data_sets(const Case& c) {
  std::vector<DataSet> sets;
  for (int i = 0;; ++i) {
    const fs::path folder = c.path / ("test_data_set_" + std::to_string(i));
    if (!fs::exists(folder)) return sets;
    sets.push_back({read_values(folder, "input"), read_values(folder, "output")});
  }
}

}  // namespace cleave::conformance
