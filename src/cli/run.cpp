#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace cleave::cli {

namespace {

namespace fs = std::filesystem;

bool is_npy(const std::string& file) {
  return fs::path(file).extension() == ".npy";
}

Tensor load_input(const graph::TensorInfo& info, const std::string& file, const calibration::Preprocess& preprocess) {
  if (!is_npy(file)) return calibration::load_sample(file, preprocess, info.shape, false).input;
  Tensor tensor = calibration::read_npy(file);
  if (tensor.dtype() != info.dtype || tensor.shape() != info.shape) {
    throw Error(ErrorKind::kInvalidInput, file + ": is " + std::string(dtype_name(tensor.dtype())) + " " +
                                              shape_text(tensor.shape()) + ", input '" + info.name + "' is " +
                                              std::string(dtype_name(info.dtype)) + " " + shape_text(info.shape));
  }
  return tensor;
}

std::vector<Tensor> load_inputs(const Target& target, const std::vector<std::string>& assignments,
                                const calibration::Preprocess& preprocess) {
  std::map<std::string, std::string> files;
  for (const std::string& text : assignments) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      throw Error(ErrorKind::kUsage, "--input '" + text + "' is not of the form NAME=FILE");
    files[text.substr(0, equals)] = text.substr(equals + 1);
  }
  std::vector<std::string> names;
  std::vector<Tensor> inputs;
  for (const graph::TensorInfo& info : target.inputs()) {
    names.push_back(info.name);
    const auto file = files.find(info.name);
    if (file == files.end())
      throw Error(ErrorKind::kUsage, "input '" + info.name + "' has no --input " + info.name + "=FILE");
    inputs.push_back(load_input(info, file->second, preprocess));
  }
  for (const auto& [name, file] : files) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(ErrorKind::kUsage, "the network has no input '" + name + "'" + did_you_mean(name, names));
    }
  }
  return inputs;
}

void make_folder(const std::string& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error(ErrorKind::kIo, folder + ": cannot create: " + code.message());
}

/// Writes NAME.npy ("/" becomes "_") and returns the file's name.
std::string save_tensor(const std::string& name, const Tensor& tensor, const fs::path& folder) {
  std::string file = name + ".npy";
  std::replace(file.begin(), file.end(), '/', '_');
  write_file_atomically(folder / file, calibration::npy_bytes(tensor));
  return file;
}

Json save_outputs(const Target& target, const std::vector<Tensor>& outputs, const std::string& folder) {
  Json document = make_document("outputs");
  document["outputs"] = Json::array();
  const std::vector<std::string> names = target.output_names();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    document["outputs"].push_back({{"name", names[i]},
                                   {"file", save_tensor(names[i], outputs[i], folder)},
                                   {"dtype", dtype_name(outputs[i].dtype())},
                                   {"shape", outputs[i].shape()}});
  }
  write_json(fs::path(folder) / "outputs.json", document);
  return document;
}

}  // namespace

int run_run(const std::vector<std::string>& arguments) {
  CommandLine line("run", "Runs a model or a bundle on an input and writes every output as .npy.",
                   "  cleave run model.onnx --input image=photo.jpg --preprocess imagenet -o out/\n"
                   "  cleave run bundle/ --input image=photo.jpg -o out/");
  std::string path;
  std::string output = "outputs";
  std::string preprocess;
  std::string kernels = "fast";
  std::vector<std::string> assignments;
  std::vector<std::string> shapes;
  std::int64_t threads = 0;
  bool save_inputs = false;
  line.positional("TARGET", path, {"", "A model or a bundle", true});
  line.texts("--input", assignments, {"NAME=FILE", "A .npy, or an image that goes through --preprocess"});
  line.text("--preprocess", preprocess, {"P", "For images (default: the bundle's, else raw)"});
  line.text("-o,--output", output, {"DIR", "Where the outputs go"});
  line.flag("--save-inputs", save_inputs, "Write the network's inputs as .npy too");
  line.text("--kernels", kernels, {"fast|reference", "reference: the same bits for any thread count"});
  line.integer("--threads", threads, 0, {"N", "0: all cores"});
  line.texts("--shape", shapes, {"NAME=1x3x224x224", "Shape of an input whose dimensions are symbolic"});
  if (!line.parse(arguments)) return 0;
  if (line.dump_config()) return write_result(line.config()), 0;

  const auto target = open_target(path, shapes, {kernels_from_name(kernels), static_cast<int>(threads)})();
  const std::vector<Tensor> inputs = load_inputs(*target, assignments, choose_preprocess(preprocess, path));
  const std::vector<Tensor> outputs = target->run(inputs);
  make_folder(output);
  for (std::size_t i = 0; save_inputs && i < inputs.size(); ++i)
    save_tensor(target->inputs()[i].name, inputs[i], output);
  const Json document = save_outputs(*target, outputs, output);
  if (line.json()) {
    write_result(document);
  } else {
    for (const Json& entry : document["outputs"]) {
      write_result(entry["name"].get<std::string>() + " " + entry["dtype"].get<std::string>() + " " +
                   shape_text(entry["shape"].get<Shape>()) + " -> " + output + "/" + entry["file"].get<std::string>() +
                   "\n");
    }
  }
  return 0;
}

}  // namespace cleave::cli
