// Writes the networks that the other benchmarks measure with:
//
//   bench_networks WORK [--models DIR] [--only NAME]
//
//   WORK/NAME.f32.onnx      ResNet-18, ResNet-50, MobileNet-v2 and one_relu (networks.h); a link to each network of DIR
//   WORK/NAME.int8.onnx     the same with QuantizeLinear and DequantizeLinear around every tensor, batch 1
//   WORK/NAME.int8.b8.onnx  batch 8, where the network can be prepared at that batch
//
// Files that are there are kept.
#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calibration/noise.h"
#include "core/error.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "networks.h"
#include "quantized.h"

namespace cleave::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBatch = 8;
constexpr std::array<const char*, 4> kMeasured = {"one_relu", "resnet18", "resnet50", "mobilenet_v2"};

struct Options {
  fs::path work;
  fs::path models;
  std::string only;

  bool wants(const std::string& name) const { return only.empty() || only == name; }
};

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--models" && has_value) {
      options.models = arguments[++i];
    } else if (arguments[i] == "--only" && has_value) {
      options.only = arguments[++i];
    } else if (options.work.empty() && arguments[i].front() != '-') {
      options.work = arguments[i];
    } else {
      return std::nullopt;
    }
  }
  return options.work.empty() ? std::nullopt : std::optional(options);
}

/// The network with `batch` in front of every input's shape.
graph::Graph prepare_at(const graph::Model& model, std::int64_t batch) {
  graph::PrepareOptions options;
  const graph::Graph single = graph::prepare(model);
  for (const graph::TensorId id : single.inputs()) {
    Shape shape = single.tensor(id).shape;
    shape.at(0) = batch;
    options.input_shapes[single.tensor(id).name] = shape;
  }
  return graph::prepare(model, options);
}

void write_quantized(const graph::Model& model, const std::string& stem) {
  if (fs::exists(stem + ".int8.onnx")) return;
  const graph::Graph single = graph::prepare(model);
  const quant::CalibrationTable ranges = calibration::calibrate_on_noise(single);
  try {
    graph::save_onnx(quantized(prepare_at(model, kBatch), ranges), stem + ".int8.b8.onnx");
  } catch (const Error& error) {
    std::printf("%s: no batch %d: %s\n", stem.c_str(), static_cast<int>(kBatch), error.what());
  }
  graph::save_onnx(quantized(single, ranges), stem + ".int8.onnx");
  std::printf("%s.int8.onnx\n", stem.c_str());
}

void make_all(const Options& options) {
  fs::create_directories(options.work);
  for (const char* name : kMeasured) {
    if (!options.wants(name)) continue;
    const std::string stem = (options.work / name).string();
    if (!fs::exists(stem + ".f32.onnx")) graph::save_onnx(network_named(name).make(), stem + ".f32.onnx");
    write_quantized(graph::Model::load(stem + ".f32.onnx"), stem);
  }
  if (options.models.empty()) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(options.models)) {
    if (entry.path().extension() != ".onnx" || !options.wants(entry.path().stem().string())) continue;
    const std::string stem = (options.work / entry.path().stem()).string();
    if (!fs::exists(stem + ".f32.onnx")) fs::create_symlink(fs::canonical(entry.path()), stem + ".f32.onnx");
    write_quantized(graph::Model::load(entry.path()), stem);
  }
}

}  // namespace
}  // namespace cleave::bench

int main(int count, char** values) {
  const auto options = cleave::bench::parse({values + 1, values + count});
  if (!options) {
    std::fputs("usage: bench_networks WORK [--models DIR] [--only NAME]\n", stderr);
    return 2;
  }
  try {
    cleave::bench::make_all(*options);
  } catch (const cleave::Error& error) {
    std::fprintf(stderr, "%s. %s\n", error.what(), error.hint().c_str());
    return cleave::exit_code(error.kind());
  }
  return 0;
}
