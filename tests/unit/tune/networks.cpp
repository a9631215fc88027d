#include "networks.h"

#include <algorithm>
#include <limits>
#include <random>

#include "exec/session.h"
#include "graph/builder.h"
#include "quant/clip.h"

namespace cleave::tune::testing {

using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;

namespace {

Tensor random(const Shape& shape, std::mt19937& engine, float size) {
  Tensor tensor(DType::kFloat32, shape);
  std::uniform_real_distribution<float> value(-size, size);
  for (float& x : tensor.mutable_data<float>()) x = value(engine);
  return tensor;
}

class Extremes : public exec::ActivationObserver {
 public:
  void observe(const exec::ActivationView& seen) override {
    quant::Range& range = ranges[seen.tensor];
    for (std::int64_t i = 0; i < element_count(seen.shape); ++i) {
      range.lo = std::min(range.lo, static_cast<double>(seen.data[i]));
      range.hi = std::max(range.hi, static_cast<double>(seen.data[i]));
    }
  }
  std::map<TensorId, quant::Range> ranges;
};

}  // namespace

Graph small_residual(std::uint32_t seed) {
  std::mt19937 engine(seed);
  GraphBuilder b;
  const auto shaped = [&b](TensorId id, const Shape& shape) {
    b.set_shape(id, DType::kFloat32, shape);
    return id;
  };
  const auto conv = [&](TensorId x, const std::string& name, const Shape& weight, std::int64_t group) {
    const std::int64_t pad = weight[2] / 2;
    const TensorId w = b.constant(name + ".w", random(weight, engine, 0.6F));
    const TensorId bias = b.constant(name + ".b", random({weight[0]}, engine, 0.3F));
    return shaped(
        b.node("Conv", {x, w, bias}, {name}, {{"pads", std::vector<std::int64_t>(4, pad)}, {"group", group}}, name)[0],
        {1, weight[0], 8, 8});
  };
  const auto like = [&](const std::string& op, const std::vector<TensorId>& inputs, const std::string& name) {
    return shaped(b.node(op, inputs, {name}, {}, name)[0], {1, 8, 8, 8});
  };
  const TensorId x = b.input("x", DType::kFloat32, {1, 3, 8, 8});
  const TensorId a = like("Relu", {conv(x, "conv1", {8, 3, 3, 3}, 1)}, "a");
  const TensorId d = like("Relu", {conv(a, "dw", {8, 1, 3, 3}, 8)}, "d");
  const TensorId p = conv(d, "pw", {8, 8, 1, 1}, 1);
  const TensorId r = like("Relu", {like("Add", {p, a}, "add")}, "r");
  const TensorId g = shaped(b.node("GlobalAveragePool", {r}, {"g"}, {}, "pool")[0], {1, 8, 1, 1});
  const TensorId f = shaped(b.node("Flatten", {g}, {"f"}, {}, "flatten")[0], {1, 8});
  const TensorId w = b.constant("fc.w", random({8, 5}, engine, 1.5F));
  b.output(shaped(b.node("Gemm", {f, w, b.constant("fc.b", random({5}, engine, 0.5F))}, {"y"}, {}, "fc")[0], {1, 5}));
  return b.build();
}

std::vector<Tensor> small_samples(std::size_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<Tensor> samples;
  for (std::size_t i = 0; i < count; ++i) samples.push_back(random({1, 3, 8, 8}, engine, 1));
  return samples;
}

exec::QuantizationSpec plain_spec(const Graph& graph, const std::vector<Tensor>& samples, int weight_bits,
                                  int activation_bits) {
  exec::QuantizationSpec spec;
  spec.edge = graph::Cut::all(graph);
  std::vector<TensorId> taps(graph.inputs().begin(), graph.inputs().end());
  for (const graph::Unit& unit : graph.units()) {
    taps.insert(taps.end(), unit.outputs.begin(), unit.outputs.end());
    if (unit.weight == TensorId::kNone) continue;
    spec.weights[unit.name] = quant::choose_weights(*graph.constant(unit.weight), unit.weight_axis,
                                                    quant::Bits{weight_bits}, quant::ClipMethod::kMinMax)
                                  .quantizer;
  }
  Extremes extremes;
  exec::Session session(graph);
  for (const Tensor& sample : samples) session.run(std::span(&sample, 1), taps, extremes);
  for (const auto& [id, range] : extremes.ranges) {
    if (graph.is_output(id)) continue;
    spec.activations[graph.tensor(id).name] = quant::affine_quantizer(range, quant::Bits{activation_bits});
  }
  return spec;
}

}  // namespace cleave::tune::testing
