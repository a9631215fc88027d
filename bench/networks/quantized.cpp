#include "quantized.h"

#include "evaluation/uniform.h"
#include "exec/fake_quantize.h"

namespace cleave::bench {

graph::Graph quantized(const graph::Graph& graph, const quant::CalibrationTable& ranges) {
  exec::QuantizationSpec spec = evaluation::uniform_spec(graph, ranges, {8, 8, 0, quant::ClipMethod::kMinMax});
  for (const graph::TensorId id : graph.outputs()) {
    if (graph.tensor(id).dtype != DType::kFloat32) continue;
    const std::string& name = graph.tensor(id).name;
    spec.activations[name] =
        quant::choose_activation(ranges.tensor(name).activation_values(), quant::Bits{8}, quant::ClipMethod::kMinMax)
            .quantizer;
  }
  return exec::fake_quantize(graph, spec);
}

}  // namespace cleave::bench
