#include "support/ort.h"

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/file.h"
#include "core/json.h"
#include "support/line_process.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::testing {
namespace fs = std::filesystem;

namespace {

fs::path ort_dir() {
  const char* chosen = std::getenv("CLEAVE_ORT");
  if (chosen != nullptr) return chosen;
  const fs::path configured = CLEAVE_ORT_DIR;
  return configured.empty() ? fs::path(CLEAVE_BINARY_DIR).parent_path() / "ort" : configured;
}

Json describe_inputs(const std::map<std::string, Tensor>& inputs, const fs::path& folder) {
  Json list = Json::array();
  for (const auto& [name, tensor] : inputs) {
    const std::string file = "in" + std::to_string(list.size()) + ".bin";
    const auto raw = tensor.raw();
    write_file_atomically(folder / file, {reinterpret_cast<const char*>(raw.data()), raw.size()});
    list.push_back({{"name", name}, {"file", file}, {"dtype", dtype_name(tensor.dtype())}, {"shape", tensor.shape()}});
  }
  return list;
}

Tensor read_output(const Json& json, const fs::path& folder) {
  Tensor tensor(dtype_from_name(json.at("dtype").get<std::string>()), json.at("shape").get<Shape>());
  const std::string bytes = read_file(folder / json.at("file").get<std::string>());
  if (bytes.size() != tensor.bytes()) throw std::runtime_error("oracle output has a wrong size");
  if (!bytes.empty()) std::memcpy(tensor.mutable_raw().data(), bytes.data(), bytes.size());
  return tensor;
}

/// Started at the first use, ended with the test.
LineProcess& runtime() {
  static LineProcess process(
      {"env", "CLEAVE_ORT=" + ort_dir().string(), "node", source_dir() / "tests/oracle/ort_run.js"});
  return process;
}

}  // namespace

bool has_ort() {
  return fs::exists(ort_dir() / "node_modules" / "onnxruntime-node");
}

std::map<std::string, Tensor> ort_run(const fs::path& model, const std::map<std::string, Tensor>& inputs,
                                      const std::string& optimization) {
  const TemporaryFolder folder;
  const Json request{{"model", fs::absolute(model).string()},
                     {"optimization", optimization},
                     {"inputs", describe_inputs(inputs, folder.path())}};
  write_file_atomically(folder / "request.json", request.dump());
  const std::string answer = runtime().ask(folder.path().string());
  if (answer != "done") throw std::runtime_error("ONNX Runtime failed on " + model.string() + ": " + answer);
  std::map<std::string, Tensor> outputs;
  for (const Json& json : read_json(folder / "response.json")) {
    outputs[json.at("name").get<std::string>()] = read_output(json, folder.path());
  }
  return outputs;
}

}  // namespace cleave::testing
