#include "cli/inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/presets.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::cli {

namespace fs = std::filesystem;

graph::PrepareOptions parse_shapes(const std::vector<std::string>& shapes) {
  graph::PrepareOptions options;
  for (const std::string& text : shapes) {
    const std::size_t equals = text.rfind('=');
    Shape shape;
    if (equals != std::string::npos && equals > 0) {
      for (const std::string& part : split_text(text.substr(equals + 1), 'x')) {
        shape.push_back(parse_integer(part).value_or(-1));
      }
    }
    if (shape.empty() || std::any_of(shape.begin(), shape.end(), [](std::int64_t d) { return d < 0; })) {
      throw Error(ErrorKind::kUsage, "--shape '" + text + "' is not of the form name=1x3x224x224");
    }
    options.input_shapes[text.substr(0, equals)] = shape;
  }
  return options;
}

void require_output_place(const std::string& output, const std::string& model) {
  std::error_code ignored;
  const fs::path folder = fs::path(output).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    throw Error(ErrorKind::kIo, output + ": there is no folder " + folder.string(), "Make it first.");
  }
  if (fs::equivalent(output, model, ignored)) {
    throw Error(ErrorKind::kUsage, "the result would overwrite the model " + model, "Name another file with -o.");
  }
}

Network load_network(const std::string& path, const std::vector<std::string>& shapes,
                     graph::DataDependentShapes data_dependent) {
  graph::PrepareOptions options = parse_shapes(shapes);
  options.data_dependent = data_dependent;
  graph::Model model = graph::Model::load(path);
  graph::Graph graph = graph::prepare(model, options);
  return {std::move(model), std::move(graph)};
}

cost::Device load_device(const std::string& name_or_path) {
  const config::Found found = config::find_document("devices", name_or_path);
  return cost::Device::from_json(found.json, found.origin);
}

cost::Link load_link(const std::string& name_or_path) {
  std::error_code ignored;
  const auto presets = config::preset_names("links");
  const bool is_preset = std::find(presets.begin(), presets.end(), name_or_path) != presets.end();
  if (!is_preset && !fs::exists(name_or_path, ignored)) {
    if (const auto link = cost::parse_link(name_or_path)) return *link;
  }
  const config::Found found = config::find_document("links", name_or_path);
  return cost::Link::from_json(found.json, found.origin);
}

std::vector<int> parse_bits(const std::string& text, const std::string& option) {
  std::vector<int> bits;
  for (const std::string& part : split_text(text, ',')) {
    const auto value = parse_integer(trim_text(part));
    if (!value || (*value != 32 && (*value < 2 || *value > 8))) {
      throw Error(ErrorKind::kUsage, option + " '" + text + "': '" + part + "' is no bit-width",
                  "Give a list such as 2,4,8; each is 2 to 8, or 32 for unquantized.");
    }
    bits.push_back(static_cast<int>(*value));
  }
  std::sort(bits.begin(), bits.end());
  bits.erase(std::unique(bits.begin(), bits.end()), bits.end());
  return bits;
}

Shard parse_shard(const std::string& text) {
  const auto parts = split_text(text, '/');
  const auto index = parse_integer(parts[0]);
  const auto count = parts.size() == 2 ? parse_integer(parts[1]) : std::nullopt;
  if (!index || !count || *count < 1 || *index < 0 || *index >= *count) {
    throw Error(ErrorKind::kUsage, "--shard '" + text + "' is not of the form i/N with i from 0 to N-1");
  }
  return {*index, *count};
}

bool is_bundle(const std::string& target) {
  std::error_code ignored;
  return fs::is_directory(target, ignored);
}

calibration::Preprocess choose_preprocess(const std::string& named, const std::string& target) {
  if (!named.empty()) return calibration::Preprocess::find(named);
  if (is_bundle(target)) return calibration::Preprocess::find((fs::path(target) / "preprocess.json").string());
  return calibration::Preprocess::find("raw");
}

Shape single_input_shape(const graph::Graph& graph) {
  if (graph.inputs().size() != 1) {
    throw Error(ErrorKind::kUnsupported,
                "the network has " + std::to_string(graph.inputs().size()) + " inputs; images can feed only one",
                "Use 'cleave run' with one --input per network input.");
  }
  return graph.tensor(graph.inputs()[0]).shape;
}

calibration::ImageSet open_images(const std::string& folder_or_list, std::int64_t limit) {
  calibration::ImageSet images = calibration::ImageSet::open(folder_or_list);
  if (limit > 0) images.limit(limit);
  return images;
}

}  // namespace cleave::cli
