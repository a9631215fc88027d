#include "unit/bundle/fixtures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "graph/builder.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "quant/packing.h"

namespace cleave::bundle::testing {

using graph::AttributeValue;
using graph::Cut;
using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;
using Integers = std::vector<std::int64_t>;

Tensor random_tensor(Shape shape, unsigned seed) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  std::mt19937 generator(seed);
  for (float& value : tensor.mutable_data<float>()) {
    value = static_cast<float>(generator()) / 2147483648.0F - 1.0F;
  }
  return tensor;
}

namespace {

class NetworkWriter {
 public:
  NetworkWriter(unsigned seed, Shape input, bool symbolic) : seed_(seed) {
    if (symbolic) input[0] = -1;
    const std::vector<std::string> names =
        symbolic ? std::vector<std::string>{"N", "", "", ""} : std::vector<std::string>{};
    input_ = builder_.input("x", DType::kFloat32, std::move(input), names);
  }

  TensorId input() const { return input_; }
  TensorId weights(const std::string& name, Shape shape) {
    return builder_.constant(name, random_tensor(std::move(shape), ++seed_));
  }
  TensorId conv(TensorId x, const std::string& name, std::int64_t from, std::int64_t to) {
    return builder_.node("Conv", {x, weights(name + "_w", {to, from, 3, 3}), weights(name + "_b", {to})}, {name},
                         {{"pads", Integers{1, 1, 1, 1}}, {"kernel_shape", Integers{3, 3}}})[0];
  }
  TensorId node(const std::string& op, std::vector<TensorId> inputs, const std::string& name,
                std::map<std::string, AttributeValue> attributes = {}) {
    return builder_.node(op, std::move(inputs), {name}, std::move(attributes))[0];
  }
  TensorId gemm(TensorId x, const std::string& name, std::int64_t from, std::int64_t to) {
    return node("Gemm", {x, weights(name + "_w", {to, from}), weights(name + "_b", {to})}, name,
                {{"transB", std::int64_t{1}}});
  }
  void output(TensorId id, Shape shape) {
    shape[0] = builder_.tensor_at(input_).shape[0];
    builder_.set_shape(id, DType::kFloat32, std::move(shape));
    builder_.output(id);
  }
  GraphBuilder& builder() { return builder_; }

 private:
  unsigned seed_;
  GraphBuilder builder_;
  TensorId input_{};
};

/// Collects what a run shows.
class Collector : public exec::ActivationObserver {
 public:
  explicit Collector(const Graph& graph, quant::CalibrationTable& table) : graph_(graph), table_(table) {}

  void observe(const exec::ActivationView& view) override {
    auto& statistics = table_.tensors[graph_.tensor(view.tensor).name];
    const std::int64_t batch = view.shape.empty() ? 1 : view.shape[0];
    const std::int64_t channels = view.shape.size() < 2 ? 1 : view.shape[1];
    const std::int64_t block = view.channel_block;
    const std::int64_t inner = element_count(view.shape) / std::max<std::int64_t>(batch * channels, 1);
    const std::int64_t blocks = (channels + block - 1) / block;
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t i = 0; i < inner; ++i) {
          add(statistics, view.data[((n * blocks + c / block) * inner + i) * block + c % block]);
        }
      }
    }
  }

 private:
  static void add(quant::TensorStatistics& statistics, float value) {
    auto& counts = statistics.counts;
    counts.min = counts.count == 0 ? value : std::min(counts.min, value);
    counts.max = counts.count == 0 ? value : std::max(counts.max, value);
    ++counts.count;
    if (value == 0) ++counts.zeros;
    statistics.histogram.add(value);
  }

  const Graph& graph_;
  quant::CalibrationTable& table_;
};

std::vector<TensorId> tapped(const Graph& graph) {
  std::vector<TensorId> taps;
  for (const TensorId id : graph.inputs()) taps.push_back(id);
  for (const graph::Unit& unit : graph.units()) {
    for (const TensorId id : unit.outputs) {
      if (graph.tensor(id).dtype == DType::kFloat32) taps.push_back(id);
    }
  }
  return taps;
}

bool read_on_edge(const Graph& graph, const Cut& cut, TensorId id) {
  const auto readers = graph.consumers(id);
  return std::any_of(readers.begin(), readers.end(),
                     [&](graph::NodeId reader) { return cut.on_edge[index(graph.unit_of(reader))]; });
}

/// a(t) for network inputs and edge outputs that an edge unit reads, and for results made on the edge.
std::map<std::string, int> decided_bits(const Graph& graph, const Cut& cut, int bits) {
  std::map<std::string, int> decided;
  const auto decide = [&](TensorId id) { decided[graph.tensor(id).name] = bits; };
  for (const TensorId id : graph.inputs()) {
    if (read_on_edge(graph, cut, id)) decide(id);
  }
  for (std::size_t u = 0; u < graph.units().size(); ++u) {
    if (!cut.on_edge[u]) continue;
    for (const TensorId id : graph.units()[u].outputs) {
      if (read_on_edge(graph, cut, id) || graph.is_output(id)) decide(id);
    }
  }
  return decided;
}

}  // namespace

Graph chain_network(unsigned seed, bool symbolic_batch) {
  NetworkWriter net(seed, {1, 3, 9, 7}, symbolic_batch);
  TensorId t = net.node("Relu", {net.conv(net.input(), "conv1", 3, 8)}, "relu1");
  t = net.node("MaxPool", {t}, "pool", {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}});
  t = net.conv(t, "conv2", 8, 6);
  const TensorId low = net.builder().constant("low", Tensor::scalar(0.0F));
  const TensorId high = net.builder().constant("high", Tensor::scalar(6.0F));
  t = net.node("Clip", {t, low, high}, "clip2");
  t = net.node("GlobalAveragePool", {t}, "mean");
  t = net.node("Flatten", {t}, "flat");
  net.output(net.gemm(t, "y", 6, 5), {1, 5});
  return net.builder().build();
}

Graph residual_network(unsigned seed, bool symbolic_batch) {
  NetworkWriter net(seed, {1, 3, 8, 8}, symbolic_batch);
  const TensorId stem = net.node("Relu", {net.conv(net.input(), "stem", 3, 6)}, "stem_relu");
  TensorId t = net.node("Relu", {net.conv(stem, "a1", 6, 6)}, "a1_relu");
  const TensorId block1 = net.node("Relu", {net.node("Add", {net.conv(t, "a2", 6, 6), stem}, "a_add")}, "block1");
  t = net.node("Sigmoid", {net.conv(block1, "b1", 6, 6)}, "b1_gate");
  const TensorId block2 = net.node("Add", {net.conv(t, "b2", 6, 6), block1}, "features");
  const TensorId joined = net.node("Concat", {block2, stem}, "joined", {{"axis", std::int64_t{1}}});
  t = net.node("Flatten", {net.node("GlobalAveragePool", {joined}, "mean")}, "flat");
  net.output(net.gemm(t, "y", 12, 5), {1, 5});
  net.output(block2, {1, 6, 8, 8});
  return net.builder().build();
}

graph::Model as_model(const Graph& graph) {
  return graph::Model::parse(graph::to_onnx(graph), "network", ".");
}

quant::CalibrationTable calibrated(const graph::Model& model, const Graph& prepared,
                                   const std::vector<std::vector<Tensor>>& samples, exec::Kernels kernels) {
  quant::CalibrationTable table;
  table.model_sha256 = model.sha256();
  table.graph_fingerprint = prepared.fingerprint();
  table.preprocess = R"({"layout":"NCHW","schema":"cleave.preprocess/1"})";
  exec::Session session(prepared, {kernels, 1});
  Collector collector(session.graph(), table);
  const auto taps = tapped(session.graph());
  for (const auto& sample : samples) session.run(sample, taps, collector);
  return table;
}

search::Plan plan_for(const Graph& prepared, const Cut& cut, const quant::CalibrationTable& table,
                      const PlanBits& bits) {
  search::Plan plan;
  plan.status = search::Status::kFeasible;
  plan.solver = "hand";
  plan.clip = "mse";
  plan.result_at = bits.result_at;
  for (std::size_t u = 0; u < prepared.units().size(); ++u) {
    const graph::Unit& unit = prepared.units()[u];
    search::PlanUnit row;
    row.on_edge = cut.on_edge[u];
    row.weight_bits = row.on_edge && unit.weight != TensorId::kNone ? bits.weight : 0;
    plan.units[unit.name] = row;
    if (row.on_edge) plan.edge_units.push_back(unit.name);
  }
  plan.activation_bits = decided_bits(prepared, cut, bits.activation);
  for (const TensorId id : graph::crossing_tensors(prepared, cut, bits.result_at == "cloud")) {
    const auto& info = prepared.tensor(id);
    const std::int64_t elements = element_count(info.shape);
    const std::int64_t bytes = bits.wire == 32 ? 4 * elements : quant::wire_bytes(elements, {bits.wire});
    plan.crossing.push_back({info.name, bits.wire, elements, bytes});
  }
  plan.made_from = {{"model", prepared.fingerprint()}, {"calibration", table.fingerprint()}};
  return plan;
}

SplitBundle Case::split(const Cut& cut, const PlanBits& bits, const ExportOptions& options) const {
  return make(model, prepared, plan_for(prepared, cut, table, bits), table, options);
}

Case make_case(const Graph& network, unsigned seed, int samples) {
  Case made{as_model(network), {}, {}, {}};
  made.prepared = graph::prepare(made.model);
  const Shape shape = made.prepared.tensor(made.prepared.inputs()[0]).shape;
  for (int i = 0; i < samples; ++i)
    made.samples.push_back({random_tensor(shape, seed + 1000 + static_cast<unsigned>(i))});
  made.table = calibrated(made.model, made.prepared, made.samples);
  return made;
}

Cut prefix(const Graph& graph, std::size_t units) {
  Cut cut = Cut::none(graph);
  for (std::size_t u = 0; u < units; ++u) cut.on_edge[u] = true;
  return cut;
}

std::map<std::string, Tensor> named_inputs(const Graph& graph, const std::vector<Tensor>& values) {
  std::map<std::string, Tensor> named;
  for (std::size_t i = 0; i < values.size(); ++i) named[graph.tensor(graph.inputs()[i]).name] = values[i];
  return named;
}

std::map<std::string, Tensor> only_inputs(const std::map<std::string, Tensor>& tensors, const Graph& graph) {
  std::map<std::string, Tensor> wanted;
  for (const TensorId id : graph.inputs()) wanted[graph.tensor(id).name] = tensors.at(graph.tensor(id).name);
  return wanted;
}

double relative_error(const Tensor& got, const Tensor& expected) {
  const auto a = got.data<float>();
  const auto b = expected.data<float>();
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::fabs(static_cast<double>(a[i]) - b[i]));
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return worst / std::max(1e-12, static_cast<double>(*high) - *low);
}

void expect_codes_agree(const std::vector<WireTensor>& wire, const std::map<std::string, Tensor>& ours,
                        const std::map<std::string, Tensor>& theirs) {
  std::int64_t all = 0;
  std::int64_t differing = 0;
  for (const WireTensor& tensor : wire) {
    const std::int64_t elements = element_count(tensor.shape);
    const auto a = quant::unpack(ours.at(tensor.port).data<std::uint8_t>(), elements, tensor.quantizer.bits);
    const auto b = quant::unpack(theirs.at(tensor.port).data<std::uint8_t>(), elements, tensor.quantizer.bits);
    all += elements;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      ++differing;
      EXPECT_EQ(std::abs(int{a[i]} - int{b[i]}), 1) << tensor.tensor << " " << i;
    }
  }
  EXPECT_LE(differing * 1000, all);
}

}  // namespace cleave::bundle::testing
