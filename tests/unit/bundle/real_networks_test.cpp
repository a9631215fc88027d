#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "bundle/run_bundle.h"
#include "bundle/verify.h"
#include "graph/prepare.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"
#include "tune/tuned_file.h"
#include "unit/bundle/fixtures.h"

namespace cleave::bundle {
namespace {

using cleave::testing::ort_run;
using cleave::testing::TemporaryFolder;
using graph::Graph;
using graph::TensorId;
using testing::Case;
using testing::PlanBits;
using Named = std::map<std::string, Tensor>;

/// How the network's inputs are scaled: mid + span * [-1, 1].
struct InputRange {
  float mid;
  float span;
};

/// Soft blobs and edges, so that activations look like those of a picture.
Tensor picture(const Shape& shape, const InputRange& range, unsigned seed) {
  Tensor noise = testing::random_tensor({64}, seed);
  const auto r = noise.data<float>();
  Tensor image(DType::kFloat32, shape);
  const auto pixels = image.mutable_data<float>();
  const std::int64_t width = shape[3];
  const std::int64_t area = shape[2] * width;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto pixel = static_cast<std::int64_t>(i);
    const double y = static_cast<double>(pixel % area / width) / static_cast<double>(shape[2]);
    const double x = static_cast<double>(pixel % width) / static_cast<double>(width);
    double value = 0;
    for (std::size_t k = static_cast<std::size_t>(pixel / area); k + 8 < r.size(); k += 8) {
      value += r[k] * std::sin(20 * r[k + 3] * x + 20 * r[k + 4] * y + 6 * r[k + 5]);
    }
    if (x + r[1] * y > 0.6) value -= 0.7;
    pixels[i] = range.mid + range.span * static_cast<float>(std::clamp(value, -1.0, 1.0));
  }
  return image;
}

Case load_case(const std::string& file, const InputRange& range) {
  Case made{graph::Model::load(cleave::testing::shared_dir() / "data" / "models" / (file + ".onnx")), {}, {}, {}};
  made.prepared = graph::prepare(made.model);
  const Shape shape = made.prepared.tensor(made.prepared.inputs()[0]).shape;
  for (unsigned i = 0; i < 2; ++i) made.samples.push_back({picture(shape, range, 77 + i)});
  made.table = testing::calibrated(made.model, made.prepared, made.samples, exec::Kernels::kFast);
  return made;
}

InputSource samples_of(const Case& test) {
  return [&test](std::int64_t i) -> std::optional<std::vector<Tensor>> {
    if (i >= static_cast<std::int64_t>(test.samples.size())) return std::nullopt;
    return test.samples[static_cast<std::size_t>(i)];
  };
}

struct Network {
  const char* file;
  InputRange range;
  PlanBits bits;
  double edge_share;  ///< of the units
};

void PrintTo(const Network& network, std::ostream* out) {
  *out << network.file;
}

class RealNetwork : public ::testing::TestWithParam<Network> {};

TEST_P(RealNetwork, RunsEdgeBytesCloudInOnnxRuntimeAsHere) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const Network& network = GetParam();
  const Case test = load_case(network.file, network.range);
  const auto units = static_cast<double>(test.prepared.units().size());
  const auto cut = testing::prefix(test.prepared, static_cast<std::size_t>(network.edge_share * units));
  const TemporaryFolder folder;
  save(test.split(cut, network.bits), folder / "bundle");
  const LoadedBundle bundle = load(folder / "bundle");

  const Verification here = verify(bundle, test.model, samples_of(test));
  EXPECT_TRUE(here.pass) << here.to_json().dump();

  BundleRunner runner(bundle);
  const Named theirs = ort_run(folder / "bundle" / "edge.onnx", testing::named_inputs(test.prepared, test.samples[0]));
  const Named ours = runner.run_edge(test.samples[0]);
  testing::expect_codes_agree(bundle.wire, ours, theirs);
  const Named cloud = ort_run(folder / "bundle" / "cloud.onnx", testing::only_inputs(theirs, bundle.cloud->graph()));
  const auto outputs = runner.run_cloud(theirs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = runner.output_names()[i];
    if (!cloud.contains(name)) continue;  // made on the edge
    EXPECT_LE(testing::relative_error(outputs[i], cloud.at(name)), 1e-4) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shared, RealNetwork,
    ::testing::Values(Network{"resnet8_cifar10_mlperftiny", {127, 127}, {4, 8, 4, "anywhere"}, 0.5},
                      Network{"resnet56_cifar10", {0, 2}, {8, 8, 8, "anywhere"}, 0.9},
                      Network{"squeezenet1.1", {0, 2}, {6, 8, 5, "anywhere"}, 0.5},
                      Network{"mobilenet_v2_1.0_224", {0, 1}, {8, 8, 8, "anywhere"}, 0.8},
                      Network{"ultraface_version-RFB-320", {0, 1}, {8, 8, 7, "anywhere"}, 0.6},
                      Network{"nanodet_m", {0, 2}, {8, 6, 6, "anywhere"}, 0.5}),
    [](const auto& network) {
      std::string name = network.param.file;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
      return name;
    });

TEST(TunedNetwork, CutInTheMiddleVerifiesWithoutASingleOtherCode) {
  CLEAVE_NEEDS_SHARED();
  const Case test = load_case("resnet20_cifar10", {0, 2});
  const auto cut = testing::prefix(test.prepared, test.prepared.units().size() / 2);
  const search::Plan plan = testing::plan_for(test.prepared, cut, test.table, {3, 8, 8, "anywhere"});
  std::vector<Tensor> samples;
  for (unsigned i = 0; i < 8; ++i) samples.push_back(picture({1, 3, 32, 32}, {0, 2}, 300 + i));
  tune::TuneOptions options;
  options.steps = tune::steps_from_text("grids,gptq,compensate,bias");
  const tune::Tuned tuned =
      tune::tune(test.prepared, quantization_spec(test.prepared, plan, test.table), samples, options);
  const tune::TunedOrigin origin{
      {{"model", test.prepared.fingerprint()}, {"calibration", test.table.fingerprint()}, {"plan", plan.fingerprint()}},
      "plan",
      tune::steps_text(options.steps),
      8};
  const auto file = tune::tuned_from_json(std::make_shared<const Json>(tune::tuned_json(test.prepared, tuned, origin)),
                                          "tuned.json", test.prepared);
  ExportOptions with_tuned;
  with_tuned.tuned = &file;
  const TemporaryFolder folder;
  save(make(test.model, test.prepared, plan, test.table, with_tuned), folder / "bundle");
  const Verification here = verify(load(folder / "bundle"), test.model, samples_of(test));
  EXPECT_TRUE(here.pass) << here.to_json().dump();
  EXPECT_GT(here.crossing_codes, 0);
  EXPECT_EQ(here.crossing_codes_differing, 0);
}

double mean_square_difference(const Tensor& a, const Tensor& b) {
  const auto x = a.data<float>();
  const auto y = b.data<float>();
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::pow(static_cast<double>(x[i]) - y[i], 2);
  return sum;
}

/// The edge part with everything on the edge, run in ONNX Runtime as fake-quantized float and as integer kernels.
struct FusedRun {
  double noise = 0;         ///< of quantization
  double fusing_noise = 0;  ///< between the two runs

  FusedRun(const std::string& file, const InputRange& range) {
    const Case test = load_case(file, range);
    const TemporaryFolder folder;
    // 6-bit weights: processors without VNNI saturate sums of 8-bit products.
    save(test.split(graph::Cut::all(test.prepared), {6, 8, 8, "anywhere"}), folder / "bundle");
    exec::Session whole(test.prepared, {});
    const std::string output = test.prepared.tensor(test.prepared.outputs()[0]).name;
    for (const auto& sample : test.samples) {
      const Named inputs = testing::named_inputs(test.prepared, sample);
      const Tensor fake = ort_run(folder / "bundle" / "edge.onnx", inputs).at(output);
      const Tensor fused = ort_run(folder / "bundle" / "edge.onnx", inputs, "all").at(output);
      noise += mean_square_difference(fake, whole.run(sample)[0]);
      fusing_noise += mean_square_difference(fused, fake);
    }
  }
};

TEST(FusedEdge, DiffersFromFakeQuantizationByTenDecibelsLessThanQuantizationDoes) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const FusedRun run("mobilenet_v2_1.0_224", {0, 1});
  EXPECT_GT(run.noise, 0);
  EXPECT_LE(10 * run.fusing_noise, run.noise);
}

TEST(FusedEdge, HardlyDiffersWithoutResidualAdditions) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const FusedRun run("vww_mobilenetv1_025_96", {0.5F, 0.5F});  // scales chosen for it: quant/stable_scales.h
  EXPECT_LE(1000 * run.fusing_noise, run.noise);
}

}  // namespace
}  // namespace cleave::bundle
