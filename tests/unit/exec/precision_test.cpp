#include "exec/precision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "core/error.h"
#include "exec/grid_nodes.h"
#include "exec/kernels/half.h"
#include "exec/precision_choice.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "quant/wide_grid.h"
#include "quantized_network.h"
#include "random_tensor.h"
#include "small_networks.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"
#include "tap_recorder.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;

/// Statistics of every network input and unit output for one random input.
struct Calibrated {
  Tensor input;
  quant::CalibrationTable table;
};

Calibrated calibrated(const Graph& graph) {
  Calibrated result{testing::random_floats(graph.tensor(graph.inputs()[0]).shape, 5, -1, 2), {}};
  std::vector<TensorId> taps(graph.inputs().begin(), graph.inputs().end());
  for (const graph::Unit& unit : graph.units()) taps.insert(taps.end(), unit.outputs.begin(), unit.outputs.end());
  testing::TapRecorder recorder;
  Session(graph).run(std::vector<Tensor>{result.input}, taps, recorder);
  for (const TensorId id : taps) result.table.tensors[graph.tensor(id).name].add(recorder.value(id));
  result.table.graph_fingerprint = graph.fingerprint();
  return result;
}

/// Convolutions with all kinds of things between them: residual sum, Clip, SiLU, Concat, pooling, a matrix product.
Graph mixed_network() {
  testing::NetworkBuilder b(3);
  TensorId x = b.input({1, 3, 12, 12});
  x = b.like_first("Relu", {b.conv(x, 16, 3)});
  const TensorId y = b.clip(b.conv(x, 16, 3, 1, 16), 0, 6);
  const TensorId z = b.silu(b.conv(y, 16, 1));
  x = b.max_pool(b.concat({b.like_first("Add", {x, z}), y}));
  x = b.shaped("GlobalAveragePool", {b.conv(x, 24, 3)}, {1, 24, 1, 1});
  x = b.shaped("Flatten", {x}, {1, 24});
  x = b.shaped("MatMul", {x, b.constant(testing::random_floats({24, 10}, 9, -1, 1))}, {1, 10});
  b.output(x);
  return b.build();
}

std::vector<Tensor> run(const Graph& graph, const Tensor& input, Kernels kernels) {
  return Session(graph, {kernels, 1}).run(std::vector<Tensor>{input});
}

double error_between(const std::vector<Tensor>& reference, const std::vector<Tensor>& given) {
  OutputError error;
  error.add(reference, given);
  return error.ratio();
}

bool is_half(float value) {
  return std::isnan(value) || from_float16(to_float16(value)) == value;
}

std::vector<std::string> operators_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const graph::Node& node : graph.nodes()) ops.push_back(node.op);
  return ops;
}

std::int64_t count_of(const Graph& graph, const std::string& op) {
  const auto ops = operators_of(graph);
  return std::count(ops.begin(), ops.end(), op);
}

TEST(PrecisionNames, AreMagicMinds) {
  std::vector<std::string> names;
  for (const PrecisionRow& row : precisions()) {
    names.emplace_back(row.name);
    EXPECT_EQ(precision_from_name(row.name), row.precision);
    EXPECT_STREQ(precision_row(row.precision).name, row.name);
  }
  const std::vector<std::string> magic_mind{"force_float32",       "force_float16",        "qint8_mixed_float16",
                                            "qint8_mixed_float32", "qint16_mixed_float16", "qint16_mixed_float32"};
  EXPECT_EQ(names, magic_mind);
  EXPECT_THROW(precision_from_name("force_float61"), Error);
}

TEST(WithPrecision, Float32IsTheNetworkItself) {
  const Graph graph = mixed_network();
  EXPECT_EQ(with_precision(graph, Precision::kForceFloat32).fingerprint(), graph.fingerprint());
}

TEST(WithPrecision, HalvesAreWhatEveryOperatorReadsAndMakes) {
  const Graph graph = mixed_network();
  const Graph halves = with_precision(graph, Precision::kForceFloat16);
  for (std::size_t i = 0; i < halves.tensor_count(); ++i) {
    const Tensor* value = halves.constant(static_cast<TensorId>(i));
    if (value == nullptr || value->dtype() != DType::kFloat32) continue;
    for (const float v : value->data<float>()) ASSERT_TRUE(is_half(v)) << halves.tensor(static_cast<TensorId>(i)).name;
  }
  std::vector<TensorId> taps;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const graph::TensorInfo& tensor = graph.tensor(static_cast<TensorId>(i));
    const auto id = halves.find(tensor.name);
    const bool made = graph.producer(static_cast<TensorId>(i)).has_value();
    // In front of a Clip or Relu there are sums, and behind it their halves.
    if (made && id && halves.find(tensor.name + "::float")) taps.push_back(*id);
  }
  ASSERT_GE(taps.size(), 8U);
  testing::TapRecorder recorder;
  Session(halves).run(std::vector<Tensor>{calibrated(graph).input}, taps, recorder);
  for (const Tensor& tapped : recorder.values()) {
    for (const float v : tapped.data<float>()) ASSERT_TRUE(is_half(v));
  }
}

/// Every single result rounded, without a thought.
Graph rounded_everywhere(const Graph& graph) {
  GraphBuilder b(graph);
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    const graph::TensorInfo& tensor = graph.tensor(id);
    if (tensor.dtype != DType::kFloat32) continue;
    if (const Tensor* value = graph.constant(id)) {
      Tensor rounded = value->clone();
      for (float& v : rounded.mutable_data<float>()) v = from_float16(to_float16(v));
      b.set_constant(id, rounded);
    } else if (const auto producer = graph.producer(id)) {
      const TensorId sums = tensor_like(b, id, tensor.name + "::float", DType::kFloat32);
      auto& outputs = b.node_at(*producer).outputs;
      std::replace(outputs.begin(), outputs.end(), id, sums);
      add_half_rounding(b, sums, tensor.name);
    } else {
      const TensorId half = add_half_rounding(b, id, tensor.name + "::half");
      for (const graph::NodeId reader : graph.consumers(id)) {
        auto& inputs = b.node_at(reader).inputs;
        std::replace(inputs.begin(), inputs.end(), id, half);
      }
    }
  }
  return b.build();
}

TEST(WithPrecision, HalvesAreThoseOfRoundingEveryResult) {
  for (const Graph& graph : {mixed_network(), testing::residual_block()}) {
    const Graph halves = with_precision(graph, Precision::kForceFloat16);
    const Graph plain = rounded_everywhere(graph);
    EXPECT_LT(count_of(halves, "Cast"), count_of(plain, "Cast"));
    const Tensor input = calibrated(graph).input;
    const auto expected = run(plain, input, Kernels::kReference);
    const auto given = run(halves, input, Kernels::kReference);
    ASSERT_EQ(expected.size(), given.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(expected[i].data<float>(), given[i].data<float>()));
    }
  }
}

TEST(WithPrecision, QuantizesWhatProductsReadAndNothingElse) {
  const Graph graph = testing::residual_block();
  const Calibrated c = calibrated(graph);
  const Graph quantized = with_precision(graph, Precision::kQint8MixedFloat32, {&c.table});
  EXPECT_EQ(count_of(quantized, "QuantizeLinear"), 2);    // "x" and the first Relu's result
  EXPECT_EQ(count_of(quantized, "DequantizeLinear"), 4);  // those and two weights
  EXPECT_EQ(count_of(quantized, "Cast"), 0);
  for (const graph::Node& node : quantized.nodes()) {
    if (node.op != "Add") continue;
    for (const TensorId id : node.inputs) {
      EXPECT_NE(quantized.node(*quantized.producer(id)).op, "DequantizeLinear") << "the sum is one of floats";
    }
  }
}

/// The first convolution on the grid of 16 bits, exactly: whole codes, summed in 64 bits.
TEST(WithPrecision, SixteenBitSumsAreThoseOfWholeNumbers) {
  testing::NetworkBuilder b(8);
  const TensorId x = b.input({1, 64, 9, 9});
  b.output(b.conv(x, 32, 1));
  const Graph graph = b.build();
  const Calibrated c = calibrated(graph);
  const Graph wide = with_precision(graph, Precision::kQint16MixedFloat32, {&c.table});
  const Tensor given = run(wide, c.input, Kernels::kFast)[0];

  const graph::Unit& unit = graph.units()[0];
  const auto w = graph.constant(unit.weight)->data<float>();
  const auto bias = graph.constant(graph.node(unit.main).input(2));
  const auto pixels = c.input.data<float>();
  const auto largest = [](std::span<const float> values) {
    float most = 0;
    for (const float v : values) most = std::max(most, std::fabs(v));
    return most;
  };
  const float step = quant::wide_step(largest(pixels));
  double worst = 0;
  double grid_error = 0;
  for (std::size_t o = 0; o < 32; ++o) {
    const std::span<const float> filter = w.subspan(o * 64, 64);
    const float weight_step = quant::wide_step(largest(filter));
    for (std::size_t p = 0; p < 81; ++p) {
      std::int64_t sum = 0;
      double in_floats = 0;
      double magnitude = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        sum += std::llrint(pixels[i * 81 + p] / step) * std::llrint(filter[i] / weight_step);
        in_floats += double{pixels[i * 81 + p]} * double{filter[i]};
        magnitude += std::fabs(double{pixels[i * 81 + p]} * double{filter[i]});
      }
      const double added = bias == nullptr ? 0 : double{bias->data<float>()[o]};
      const double exact = static_cast<double>(sum) * step * weight_step + added;
      const double apart = std::fabs(given.data<float>()[o * 81 + p] - exact);
      worst = std::max(worst, apart / magnitude);
      grid_error = std::max(grid_error, std::fabs(exact - added - in_floats) / magnitude);
    }
  }
  EXPECT_LT(worst, 1e-6);
  EXPECT_LT(worst, grid_error / 10) << "float32 sums must not be what one sees of 16 bits";
}

TEST(WithPrecision, MoreBitsAreNearerToFloat32) {
  const Graph graph = mixed_network();
  const Calibrated c = calibrated(graph);
  const auto reference = run(graph, c.input, Kernels::kFast);
  std::map<Precision, double> errors;
  for (const PrecisionRow& row : precisions()) {
    const Graph given = with_precision(graph, row.precision, {&c.table, quant::ClipMethod::kMinMax});
    errors[row.precision] = error_between(reference, run(given, c.input, Kernels::kFast));
    EXPECT_LT(error_between(run(given, c.input, Kernels::kReference), run(given, c.input, Kernels::kFast)),
              row.code_bits == 8 ? 0.01 : 0.001)
        << row.name;
  }
  EXPECT_EQ(errors[Precision::kForceFloat32], 0);
  EXPECT_LT(errors[Precision::kQint16MixedFloat32], errors[Precision::kForceFloat16]);
  EXPECT_LT(errors[Precision::kForceFloat16], errors[Precision::kQint8MixedFloat32]);
  EXPECT_LT(errors[Precision::kQint16MixedFloat32], 2e-4);
  EXPECT_LT(errors[Precision::kForceFloat16], 2e-3);
  EXPECT_LT(errors[Precision::kQint8MixedFloat32], 0.05);
  EXPECT_LT(errors[Precision::kQint8MixedFloat16], 0.05);
}

TEST(WithPrecision, RefusesWhatItCannotDo) {
  const Graph graph = testing::residual_block();
  const Calibrated c = calibrated(graph);
  EXPECT_THROW(with_precision(graph, Precision::kQint8MixedFloat32), Error);
  quant::CalibrationTable stale = c.table;
  stale.graph_fingerprint = "of another network";
  EXPECT_THROW(with_precision(graph, Precision::kQint16MixedFloat16, {&stale}), Error);
  const Graph quantized = testing::quantize(graph).graph;
  EXPECT_THROW(with_precision(quantized, Precision::kForceFloat16), Error);
  EXPECT_NO_THROW(with_precision(quantized, Precision::kForceFloat32));
}

TEST(WithPrecision, RoundingStepsGiveTheOperatorsBits) {
  Tensor x = testing::random_floats({1, 7, 20, 20}, 4, -70000, 70000);
  const auto values = x.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); i += 2) values[i] *= 1e-6F;
  const std::vector<float> special{std::numeric_limits<float>::infinity(),
                                   -std::numeric_limits<float>::infinity(),
                                   std::numeric_limits<float>::quiet_NaN(),
                                   0.5F,
                                   1.5F,
                                   -2.5F,
                                   65519.9F,
                                   65520.0F,
                                   6.1e-5F,
                                   2.9802322e-8F};
  std::copy(special.begin(), special.end(), values.begin());
  GraphBuilder b;
  const TensorId in = b.input("x", DType::kFloat32, x.shape());
  b.output(add_half_rounding(b, in, "half"));
  b.output(add_wide_quantizer(b, in, 1.0F, "steps"));
  b.output(add_wide_quantizer(b, in, 3e-6F, "small_steps"));
  const Graph graph = b.build();
  const auto expected = run(graph, x, Kernels::kReference);
  const auto given = run(graph, x, Kernels::kFast);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float e = expected[k].data<float>()[i];
      const float g = given[k].data<float>()[i];
      ASSERT_TRUE(e == g || (std::isnan(e) && std::isnan(g)))
          << k << ": " << values[i] << " gives " << g << ", not " << e;
    }
  }
}

TEST(WithPrecision, BenchNamesTheKernelsThatRound) {
  const Graph graph = testing::residual_block();
  const Calibrated c = calibrated(graph);
  const auto kernels_of = [&](Precision precision) {
    std::vector<UnitTime> times;
    Session(with_precision(graph, precision, {&c.table})).run_timed(std::vector<Tensor>{c.input}, times);
    std::string all;
    for (const UnitTime& unit : times) {
      for (const StepTime& step : unit.steps) all += step.kernel + " ";
    }
    return all;
  };
  EXPECT_NE(kernels_of(Precision::kForceFloat16).find("round_to_float16:"), std::string::npos);
  EXPECT_NE(kernels_of(Precision::kQint16MixedFloat32).find("round_to_steps:"), std::string::npos);
  EXPECT_EQ(kernels_of(Precision::kQint8MixedFloat32).find("round_to"), std::string::npos);
}

class PreciseModels : public ::testing::TestWithParam<const char*> {};

/// The rewritten networks as ONNX files, by ONNX Runtime: what float sums in another order and one code more or less
/// come to is small beside what the precision costs.
TEST_P(PreciseModels, AreTheSameInOnnxRuntime) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(GetParam()) + ".onnx");
  const Graph graph = graph::prepare(graph::Model::load(path));
  const Calibrated c = calibrated(graph);
  const cleave::testing::TemporaryFolder folder;
  for (const PrecisionRow& row : precisions()) {
    const Graph given = with_precision(graph, row.precision, {&c.table});
    graph::save_onnx(given, folder / "network.onnx");
    const std::string name = graph.tensor(graph.inputs()[0]).name;
    const auto in_ort = cleave::testing::ort_run(folder / "network.onnx", {{name, c.input}});
    std::vector<Tensor> expected;
    for (const TensorId id : graph.outputs()) expected.push_back(in_ort.at(graph.tensor(id).name));
    const double error = error_between(expected, run(given, c.input, Kernels::kFast));
    RecordProperty(row.name, std::to_string(error));
    EXPECT_LT(error, row.code_bits == 8 ? 0.05 : row.halves ? 5e-3 : 5e-4) << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PreciseModels,
                         ::testing::Values("mobilenet_v2_1.0_224", "resnet20_cifar10", "squeezenet1.1"));

TEST(OutputError, IsRelativeOverAllOutputs) {
  const auto floats = [](const std::vector<float>& values) {
    return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
  };
  OutputError error;
  EXPECT_EQ(error.ratio(), 0);
  error.add(std::vector{floats({3, 0}), Tensor::from<std::int64_t>({1}, {7})},
            std::vector{floats({3, 1}), Tensor::from<std::int64_t>({1}, {8})});
  error.add(std::vector{floats({0, 4}), Tensor::from<std::int64_t>({1}, {7})},
            std::vector{floats({2, 2}), Tensor::from<std::int64_t>({1}, {7})});
  EXPECT_DOUBLE_EQ(error.ratio(), std::sqrt(1.0 + 4 + 4) / 5);
  error.add(std::vector{floats({1})}, std::vector{floats({std::nanf("")})});
  EXPECT_EQ(error.ratio(), std::numeric_limits<double>::infinity());
}

TEST(ChoosePrecision, TakesTheFastestThatIsNearEnough) {
  using M = PrecisionMeasurement;
  const std::vector<M> measured{M{Precision::kForceFloat32, 4, 0}, M{Precision::kForceFloat16, 3, 0.01},
                                M{Precision::kQint8MixedFloat16, 1, 0.3}, M{Precision::kQint8MixedFloat32, 1, 0.2}};
  EXPECT_EQ(choose_precision(measured, 0.5), Precision::kQint8MixedFloat16) << "of equally fast ones the first";
  EXPECT_EQ(choose_precision(measured, 0.2), Precision::kQint8MixedFloat32);
  EXPECT_EQ(choose_precision(measured, 0.1), Precision::kForceFloat16);
  EXPECT_EQ(choose_precision(measured, 0), Precision::kForceFloat32);
}

}  // namespace
}  // namespace cleave::exec
