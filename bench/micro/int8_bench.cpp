#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "exec/kernels/int8/convolution.h"

/// Convolutions of 8-bit codes by the own kernels beside oneDNN's float convolutions of the same sizes, both kept to
/// ONEDNN_MAX_CPU_ISA. Compare within one run:
///
///     ONEDNN_MAX_CPU_ISA=AVX2 bench_micro --benchmark_filter=Conv --benchmark_repetitions=8
///         --benchmark_enable_random_interleaving=true --benchmark_min_time=0.05
namespace cleave::exec::int8 {
namespace {

struct Layer {
  const char* name;
  ConvolutionShape shape;
};

ConvolutionShape square(std::int64_t size, std::int64_t channels, std::int64_t out_channels, std::int64_t kernel,
                        std::int64_t stride = 1, std::int64_t groups = 1) {
  ConvolutionShape s;
  s.height = s.width = size;
  s.channels = channels;
  s.out_channels = out_channels;
  s.kernel_height = s.kernel_width = kernel;
  s.stride_height = s.stride_width = stride;
  s.pad_top = s.pad_left = kernel / 2;
  s.out_height = s.out_width = (size + 2 * s.pad_top - kernel) / stride + 1;
  s.groups = groups;
  return s;
}

const std::vector<Layer>& layers() {
  static const std::vector<Layer> all{
      {"7x7s2_3_64_224", square(224, 3, 64, 7, 2)},        {"3x3_64_64_56", square(56, 64, 64, 3)},
      {"1x1_64_256_56", square(56, 64, 256, 1)},           {"1x1_256_64_56", square(56, 256, 64, 1)},
      {"3x3_128_128_28", square(28, 128, 128, 3)},         {"3x3_256_256_14", square(14, 256, 256, 3)},
      {"1x1_1024_256_14", square(14, 1024, 256, 1)},       {"1x1s2_256_512_56", square(56, 256, 512, 1, 2)},
      {"3x3_512_512_7", square(7, 512, 512, 3)},           {"dw3x3_144_56", square(56, 144, 144, 3, 1, 144)},
      {"dw3x3s2_144_56", square(56, 144, 144, 3, 2, 144)}, {"dw3x3_384_14", square(14, 384, 384, 3, 1, 384)}};
  return all;
}

/// Codes and weights, and the same as floats.
struct Data {
  std::vector<std::uint8_t> codes;
  std::vector<std::int16_t> weights;
  std::vector<float> float_codes;
  std::vector<float> float_weights;
};

Data data_of(const ConvolutionShape& s) {
  std::mt19937 random(1);
  Data d;
  d.codes.resize(s.height * s.width * s.channels);
  d.weights.resize(s.out_channels * (s.channels / s.groups) * s.kernel_height * s.kernel_width);
  for (auto& code : d.codes) code = static_cast<std::uint8_t>(random() % 256);
  for (auto& weight : d.weights) weight = static_cast<std::int16_t>(static_cast<int>(random() % 256) - 128);
  d.float_codes.assign(d.codes.begin(), d.codes.end());
  d.float_weights.assign(d.weights.begin(), d.weights.end());
  return d;
}

/// oneDNN's float convolution, channels last, weights in the layout that it prefers.
class FloatConvolution {
 public:
  FloatConvolution(const ConvolutionShape& s, Data& data) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    using dnnl::memory;
    using Tag = memory::format_tag;
    constexpr auto kFloat = memory::data_type::f32;
    const memory::dims dims = s.groups == 1 ? memory::dims{s.out_channels, s.channels, s.kernel_height, s.kernel_width}
                                            : memory::dims{s.groups, 1, 1, s.kernel_height, s.kernel_width};
    const memory::desc source({1, s.channels, s.height, s.width}, kFloat, Tag::nhwc);
    const memory::desc out({1, s.out_channels, s.out_height, s.out_width}, kFloat, Tag::nhwc);
    const dnnl::convolution_forward::primitive_desc descriptor(
        dnnl::convolution_forward::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source,
                                        memory::desc(dims, kFloat, Tag::any), out, {s.stride_height, s.stride_width},
                                        {s.pad_top, s.pad_left}, {s.pad_top, s.pad_left}),
        engine_);
    memory given(memory::desc(dims, kFloat, s.groups == 1 ? Tag::oihw : Tag::goihw), engine_,
                 data.float_weights.data());
    memory weights(descriptor.weights_desc(), engine_);
    dnnl::reorder(given, weights).execute(stream_, given, weights);
    primitive_ = dnnl::convolution_forward(descriptor);
    out_ = memory(out, engine_);
    arguments_ = {{DNNL_ARG_SRC, memory(source, engine_, data.float_codes.data())},
                  {DNNL_ARG_WEIGHTS, weights},
                  {DNNL_ARG_DST, out_}};
  }
  void run() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }
  const float* out() const { return static_cast<const float*>(out_.get_data_handle()); }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::convolution_forward primitive_;
  dnnl::memory out_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

void count_operations(benchmark::State& state, const ConvolutionShape& s) {
  const std::int64_t per_output = 2 * (s.channels / s.groups) * s.kernel_height * s.kernel_width;
  const auto operations = static_cast<double>(s.out_height * s.out_width * s.out_channels * per_output);
  state.counters["op/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void ConvFloat(benchmark::State& state, const Layer& layer) {
  Data data = data_of(layer.shape);
  FloatConvolution convolution(layer.shape, data);
  for (auto _ : state) convolution.run();
  count_operations(state, layer.shape);
}

/// Float sums of these integers are within float rounding of the exact ones.
void require_same_sums(const Layer& layer, Data& data) {
  const ConvolutionShape& s = layer.shape;
  const auto own = make_convolution(s, {false, 0}, data.weights, {}, 1);
  std::vector<std::int32_t> sums(s.out_height * s.out_width * s.out_channels);
  std::vector<std::byte> scratch(own->scratch_bytes());
  own->run(data.codes.data(), sums.data(), scratch.data());
  FloatConvolution peer(s, data);
  peer.run();
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (std::abs(static_cast<float>(sums[i]) - peer.out()[i]) > 64.0F) throw std::runtime_error("sums disagree");
  }
}

void ConvCodes(benchmark::State& state, const Layer& layer) {
  const ConvolutionShape& s = layer.shape;
  Data data = data_of(s);
  require_same_sums(layer, data);
  Epilogue epilogue;
  epilogue.type = simd::SumOutput::kUint8;
  epilogue.scales.assign(s.out_channels, 1e-3F);
  epilogue.zero_point = 128;
  epilogue.high = 255;
  const auto convolution = make_convolution(s, {false, 117}, data.weights, epilogue, static_cast<int>(state.range(0)));
  std::vector<std::uint8_t> out(s.out_height * s.out_width * s.out_channels);
  std::vector<std::byte> scratch(convolution->scratch_bytes());
  for (auto _ : state) {
    convolution->run(data.codes.data(), out.data(), scratch.data());
    benchmark::ClobberMemory();
  }
  count_operations(state, s);
}

const bool kRegistered = [] {
  for (const Layer& layer : layers()) {
    const std::string name = layer.name;
    benchmark::RegisterBenchmark(("ConvFloat/" + name).c_str(), ConvFloat, layer)
        ->Arg(1)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("ConvCodes/" + name).c_str(), ConvCodes, layer)
        ->Arg(1)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace cleave::exec::int8
