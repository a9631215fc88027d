#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/precision.h"
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
    if (!files.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      throw Error(ErrorKind::kUsage, "--input '" + text.substr(0, equals) + "' is given twice");
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

/// Tensors as .npy files in one folder, each under a name of its own.
class TensorFiles {
 public:
  explicit TensorFiles(fs::path folder) : folder_(std::move(folder)) {}

  /// Writes NAME.npy and returns the file's name. "/" becomes "_"; where "a/b" and "a_b" meet, the later is a_b_2.npy.
  std::string save(const std::string& name, const Tensor& tensor) {
    std::string stem = name;
    std::replace(stem.begin(), stem.end(), '/', '_');
    std::string file = stem + ".npy";
    for (int n = 2; !taken_.insert(file).second; ++n) file = stem + "_" + std::to_string(n) + ".npy";
    write_file_atomically(folder_ / file, calibration::npy_bytes(tensor));
    return file;
  }

 private:
  fs::path folder_;
  std::set<std::string> taken_;
};

Json save_outputs(const Target& target, const std::vector<Tensor>& outputs, TensorFiles& files) {
  Json document = make_document("outputs");
  document["outputs"] = Json::array();
  const std::vector<std::string> names = target.output_names();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    document["outputs"].push_back({{"name", names[i]},
                                   {"file", files.save(names[i], outputs[i])},
                                   {"dtype", dtype_name(outputs[i].dtype())},
                                   {"shape", outputs[i].shape()}});
  }
  return document;
}

void save_inputs(const Target& target, const std::vector<Tensor>& inputs, TensorFiles& files) {
  const std::vector<graph::TensorInfo> infos = target.inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) files.save(infos[i].name, inputs[i]);
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
  PrecisionOptions precision;
  std::int64_t threads = 0;
  bool with_inputs = false;
  line.positional("TARGET", path, {"", "A model or a bundle", true});
  line.texts("--input", assignments, {"NAME=FILE", "A .npy, or an image that goes through --preprocess"});
  line.text("--preprocess", preprocess, {"P", "For images (default: the bundle's, else raw)"});
  line.text("-o,--output", output, {"DIR", "Where the outputs go"});
  line.flag("--save-inputs", with_inputs, "Write the network's inputs as .npy too");
  line.text("--kernels", kernels, {"fast|reference", "reference: the same bits for any thread count"});
  line.integer("--threads", threads, 0, {"N", "0: all cores"});
  declare_precision(line, precision, true);
  line.shapes(shapes);
  if (!line.parse(arguments)) return 0;

  const exec::SessionOptions session{kernels_from_name(kernels), static_cast<int>(threads)};
  const auto load = [&](const Target& target) {
    return load_inputs(target, assignments, choose_preprocess(preprocess, path));
  };
  std::optional<PreciseNetwork> network;
  if (precision.given()) {
    const graph::Graph graph = load_plain_graph(path, shapes, "--precision");
    network = in_precision(
        graph, precision, [&] { return SampleInputs{load(*open_graph(graph, session)())}; }, session);
  }
  const auto target = network ? open_graph(network->graph, session)() : open_target(path, shapes, session)();
  const std::vector<Tensor> inputs = load(*target);
  const std::vector<Tensor> outputs = target->run(inputs);
  make_folder(output);
  TensorFiles files(output);
  Json document = save_outputs(*target, outputs, files);
  if (network) document["precision"] = exec::precision_row(network->precision).name;
  if (with_inputs) save_inputs(*target, inputs, files);
  write_json(fs::path(output) / "outputs.json", document);
  if (line.json()) {
    if (network) add_precision(document, *network);
    write_result(document);
  } else {
    if (network) write_result(precision_text(*network));
    for (const Json& entry : document["outputs"]) {
      write_result(entry["name"].get<std::string>() + " " + entry["dtype"].get<std::string>() + " " +
                   shape_text(entry["shape"].get<Shape>()) + " -> " + output + "/" + entry["file"].get<std::string>() +
                   "\n");
    }
  }
  return 0;
}

}  // namespace cleave::cli
