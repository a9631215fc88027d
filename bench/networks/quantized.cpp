#include "quantized.h"

#include "calibration/statistics.h"
#include "evaluation/uniform.h"
#include "exec/fake_quantize.h"
#include "exec/session.h"
#include "noise.h"

namespace cleave::bench {

namespace {
constexpr std::uint32_t kCalibrationRuns = 2;
constexpr std::uint32_t kFirstSeed = 100;
}  // namespace

quant::CalibrationTable calibrate_on_noise(const graph::Graph& graph) {
  quant::CalibrationTable table;
  exec::Session session(graph);
  const std::vector<graph::TensorId> taps = calibration::calibration_taps(graph);
  calibration::StatisticsObserver observer(graph, taps);
  for (std::uint32_t i = 0; i < kCalibrationRuns; ++i) session.run(noise_inputs(graph, kFirstSeed + i), taps, observer);
  observer.move_into(table.tensors);
  return table;
}

graph::Graph quantized(const graph::Graph& graph, const quant::CalibrationTable& ranges) {
  exec::QuantizationSpec spec = evaluation::uniform_spec(graph, ranges, {8, 8, 0, quant::ClipMethod::kMinMax});
  for (const graph::TensorId id : graph.outputs()) {
    if (graph.tensor(id).dtype != DType::kFloat32) continue;
    const std::string& name = graph.tensor(id).name;
    spec.activations[name] =
        quant::choose_activation(ranges.tensor(name).weighted(), quant::Bits{8}, quant::ClipMethod::kMinMax).quantizer;
  }
  return exec::fake_quantize(graph, spec);
}

}  // namespace cleave::bench
