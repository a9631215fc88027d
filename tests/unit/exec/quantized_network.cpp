#include "quantized_network.h"

#include <algorithm>

#include "exec/fake_quantize.h"
#include "exec/session.h"
#include "quant/clip.h"
#include "random_tensor.h"
#include "tap_recorder.h"

namespace cleave::exec::testing {
namespace {

using graph::Graph;
using graph::TensorId;
using quant::AffineQuantizer;
using quant::Bits;

AffineQuantizer quantizer_of(const Tensor& values, Bits bits) {
  const auto data = values.data<float>();
  const auto [low, high] = std::minmax_element(data.begin(), data.end());
  return quant::affine_quantizer({*low, *high}, bits);
}

}  // namespace

QuantizedNetwork quantize(const Graph& graph, int bits) {
  const Tensor input = random_floats(graph.tensor(graph.inputs()[0]).shape, 5, -1, 2);
  QuantizationSpec spec;
  spec.edge = graph::Cut::all(graph);
  std::vector<TensorId> taps(graph.inputs().begin(), graph.inputs().end());
  for (const graph::Unit& unit : graph.units()) {
    taps.insert(taps.end(), unit.outputs.begin(), unit.outputs.end());
    if (unit.weight == TensorId::kNone) continue;
    spec.weights[unit.name] =
        quant::choose_weights(*graph.constant(unit.weight), unit.weight_axis, Bits{bits}, quant::ClipMethod::kMinMax)
            .quantizer;
  }
  TapRecorder recorder;
  Session(graph, {Kernels::kFast, 1}).run(std::vector<Tensor>{input}, taps, recorder);
  for (const TensorId id : taps) {
    spec.activations[graph.tensor(id).name] = quantizer_of(recorder.value(id), Bits{bits});
  }
  return {fake_quantize(graph, spec), input};
}

}  // namespace cleave::exec::testing
