#pragma once

#include <optional>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "tune/network_loss.h"

namespace cleave::tune {

/// The spec with every step at the least mean |x - Q(x)|^p: of each output channel's weights (of
/// all of a unit's where they have one scale in common), and of each activation's
/// values in the table (its zero point stays). Tensors that only move values follow their source.
/// p > 0; 2 is the squared error.
exec::QuantizationSpec lp_spec(const graph::Graph& graph, const exec::QuantizationSpec& spec,
                               const quant::CalibrationTable& table, double p);

/// A value of p and the network's loss there.
struct LossAtP {
  double p = 2;
  double loss = 0;
};

/// LAPQ's second phase: the p of least loss. The loss is measured at 2, 2.5 .. 4; where the least-squares parabola
/// through these points is convex and its vertex lies between the first and the last, it is measured there as well.
/// The point of least measured loss is taken (the published code takes the vertex even of a concave parabola).
struct PChoice {
  exec::QuantizationSpec spec;
  LossAtP best;
  std::vector<LossAtP> measured;
};
PChoice choose_p(const graph::Graph& graph, const exec::QuantizationSpec& spec, const quant::CalibrationTable& table,
                 const NetworkLoss& loss);

/// The vertex of the least-squares parabola through the points, if it is convex and the vertex lies within them.
std::optional<double> parabola_vertex(const std::vector<LossAtP>& points);

}  // namespace cleave::tune
