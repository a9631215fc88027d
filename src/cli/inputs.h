#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calibration/images.h"
#include "cost/device.h"
#include "cost/link.h"
#include "graph/model.h"
#include "graph/prepare.h"

namespace cleave::cli {

/// A model as its file says it and as cleave works with it.
struct Network {
  graph::Model model;
  graph::Graph graph;
};

/// Loads and prepares. `shapes`: "name=1x3x224x224" each. Shapes that depend on the data are accepted by verbs that
/// only run the network. Throws as Model::load and prepare do.
Network load_network(const std::string& path, const std::vector<std::string>& shapes,
                     graph::DataDependentShapes data_dependent = graph::DataDependentShapes::kRefuse);

/// "name=1x3x224x224" each. Throws Error(kUsage).
graph::PrepareOptions parse_shapes(const std::vector<std::string>& shapes);

/// A device or link by preset name, path, or (links) "3mbps" and "20mbps/50ms".
cost::Device load_device(const std::string& name_or_path);
cost::Link load_link(const std::string& name_or_path);

/// "2,4,8": ascending, distinct, each 2..8 or 32. Throws Error(kUsage) naming the option.
std::vector<int> parse_bits(const std::string& text, const std::string& option);

/// "i/N": share i of N, counted from 0. Throws Error(kUsage).
struct Shard {
  std::int64_t index = 0;
  std::int64_t count = 1;
};
Shard parse_shard(const std::string& text);

/// Minutes of work must not end at a place that cannot be written, or on top of the model they came from.
/// Throws Error(kIo) when there is no such folder, Error(kUsage) when the output is the model.
void require_output_place(const std::string& output, const std::string& model);

/// True for a folder with a manifest.json.
bool is_bundle(const std::string& target);

/// The preprocessing a verb works with: the one named, else the bundle's, else none of it (raw pixels).
calibration::Preprocess choose_preprocess(const std::string& named, const std::string& target);

/// The shape of a network's only input. Throws Error(kUnsupported) when it has several.
Shape single_input_shape(const graph::Graph& graph);

/// Paths of an image set with an optional limit.
calibration::ImageSet open_images(const std::string& folder_or_list, std::int64_t limit);

}  // namespace cleave::cli
