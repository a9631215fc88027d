#include "calibration/noise.h"

#include "calibration/statistics.h"
#include "exec/noise.h"
#include "exec/session.h"

namespace cleave::calibration {

namespace {
constexpr std::uint32_t kRuns = 2;
constexpr std::uint32_t kFirstSeed = 100;
}  // namespace

quant::CalibrationTable calibrate_on_noise(const graph::Graph& graph) {
  quant::CalibrationTable table;
  exec::Session session(graph);
  const std::vector<graph::TensorId> taps = calibration_taps(graph);
  StatisticsObserver observer(graph, taps);
  for (std::uint32_t i = 0; i < kRuns; ++i) session.run(exec::noise_inputs(graph, kFirstSeed + i), taps, observer);
  observer.move_into(table.tensors);
  return table;
}

}  // namespace cleave::calibration
