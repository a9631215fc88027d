#include "bundle/packing_nodes.h"

#include <gtest/gtest.h>

#include <random>

#include "exec/session.h"
#include "graph/builder.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "quant/packing.h"
#include "support/ort.h"
#include "support/temporary_folder.h"

namespace cleave::bundle {
namespace {

using cleave::testing::ort_run;
using cleave::testing::TemporaryFolder;
using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;
using quant::AffineQuantizer;
using quant::Bits;

const std::vector<std::int64_t> kSizes{1, 3, 7, 8, 9, 30, 105};

std::vector<std::uint8_t> random_codes(std::int64_t count, Bits bits, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> codes;
  for (std::int64_t i = 0; i < count; ++i) {
    codes.push_back(static_cast<std::uint8_t>(random() % static_cast<unsigned>(bits.max_unsigned() + 1)));
  }
  return codes;
}

std::vector<std::uint8_t> bytes_of(const Tensor& tensor) {
  const auto data = tensor.data<std::uint8_t>();
  return {data.begin(), data.end()};
}

std::string name_of(const char* what, int bits, std::int64_t size) {
  return std::string(what) + std::to_string(bits) + "_" + std::to_string(size);
}

/// One graph that packs every size at every bit-width.
struct PackEverything {
  Graph graph;
  std::map<std::string, Tensor> inputs;
  std::map<std::string, std::vector<std::uint8_t>> expected;

  PackEverything() {
    GraphBuilder builder;
    for (int bits = 1; bits <= 8; ++bits) {
      for (const std::int64_t size : kSizes) add(builder, bits, size);
    }
    graph = builder.build();
  }

  void add(GraphBuilder& builder, int bits, std::int64_t size) {
    const std::string name = name_of("codes", bits, size);
    const std::string port = name_of("port", bits, size);
    const auto codes = random_codes(size, Bits{bits}, static_cast<unsigned>(size));
    const TensorId input = builder.input(name, DType::kUint8, {1, size, 1});
    add_packing(builder, input, Bits{bits}, port);
    builder.output(builder.tensor(port));
    inputs[name] = Tensor::from<std::uint8_t>({1, size, 1}, codes);
    expected[port] = quant::pack(codes, Bits{bits});
  }
};

TEST(PackingNodes, PackLikeTheLibraryInOnnxRuntime) {
  CLEAVE_NEEDS_ORT();
  const PackEverything all;
  const TemporaryFolder folder;
  graph::save_onnx(all.graph, folder / "pack.onnx");
  for (const char* optimization : {"disabled", "all"}) {
    const auto got = ort_run(folder / "pack.onnx", all.inputs, optimization);
    for (const auto& [port, bytes] : all.expected) EXPECT_EQ(bytes_of(got.at(port)), bytes) << port;
  }
}

TEST(PackingNodes, PackLikeTheLibraryInOurSession) {
  const PackEverything all;
  std::vector<Tensor> inputs;
  for (const TensorId id : all.graph.inputs()) inputs.push_back(all.inputs.at(all.graph.tensor(id).name));
  for (const exec::Kernels kernels : {exec::Kernels::kReference, exec::Kernels::kFast}) {
    exec::Session session(all.graph, {kernels, 1});
    const auto outputs = session.run(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& port = all.graph.tensor(all.graph.outputs()[i]).name;
      EXPECT_EQ(bytes_of(outputs[i]), all.expected.at(port)) << port;
    }
  }
}

/// One graph that unpacks every size at every bit-width, for any number of samples.
struct UnpackEverything {
  Graph graph;
  std::map<std::string, Tensor> inputs;
  std::map<std::string, std::vector<float>> expected;

  explicit UnpackEverything(int samples) {
    GraphBuilder builder;
    for (int bits = 1; bits <= 8; ++bits) {
      for (const std::int64_t size : kSizes) add(builder, bits, size, samples);
    }
    graph = builder.build();
  }

  void add(GraphBuilder& builder, int bits, std::int64_t size, int samples) {
    const AffineQuantizer quantizer{0.037F * static_cast<float>(bits), (1 << bits) / 3, Bits{bits}};
    const std::string port = name_of("port", bits, size);
    const std::string name = name_of("value", bits, size);
    const std::int64_t bytes = quant::wire_bytes(size, Bits{bits});
    const TensorId input = builder.input(port, DType::kUint8, {-1, bytes}, {"N", ""});
    add_unpacking(builder, input, quantizer, {name, {1, size, 1}, true});
    builder.output(builder.tensor(name));
    std::vector<std::uint8_t> sent;
    for (int n = 0; n < samples; ++n) {
      const auto codes = random_codes(size, Bits{bits}, static_cast<unsigned>(size + n));
      const auto packed = quant::pack(codes, Bits{bits});
      sent.insert(sent.end(), packed.begin(), packed.end());
      for (const std::uint8_t code : codes) expected[name].push_back(quantizer.value(code));
    }
    inputs[port] = Tensor::from<std::uint8_t>({samples, bytes}, sent);
  }
};

TEST(UnpackingNodes, GiveTheDequantizedValuesOfSeveralSamplesInOnnxRuntime) {
  CLEAVE_NEEDS_ORT();
  const UnpackEverything all(3);
  const TemporaryFolder folder;
  graph::save_onnx(all.graph, folder / "unpack.onnx");
  for (const char* optimization : {"disabled", "all"}) {
    const auto got = ort_run(folder / "unpack.onnx", all.inputs, optimization);
    for (const auto& [name, values] : all.expected) {
      const auto data = got.at(name).data<float>();
      EXPECT_EQ(std::vector<float>(data.begin(), data.end()), values) << name;
      EXPECT_EQ(got.at(name).shape()[0], 3);
    }
  }
}

TEST(UnpackingNodes, GiveTheDequantizedValuesInOurSession) {
  const UnpackEverything all(1);
  const Graph prepared = graph::prepare(all.graph);
  std::vector<Tensor> inputs;
  for (const TensorId id : prepared.inputs()) inputs.push_back(all.inputs.at(prepared.tensor(id).name));
  for (const exec::Kernels kernels : {exec::Kernels::kReference, exec::Kernels::kFast}) {
    exec::Session session(prepared, {kernels, 1});
    const auto outputs = session.run(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = prepared.tensor(prepared.outputs()[i]).name;
      const auto data = outputs[i].data<float>();
      EXPECT_EQ(std::vector<float>(data.begin(), data.end()), all.expected.at(name)) << name;
    }
  }
}

}  // namespace
}  // namespace cleave::bundle
