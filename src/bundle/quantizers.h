#pragma once

#include <map>
#include <string>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "search/plan.h"

namespace cleave::bundle {

/// Quantizers with how each was found.
struct ChosenQuantizers {
  exec::QuantizationSpec spec;
  std::map<std::string, std::string> activation_methods;  ///< by tensor: clip method, or "as <tensor>" when shared
  std::map<std::string, std::string> wire_methods;
};

/// The plan's edge units as a cut. Throws Error(kStale) for a unit that the graph does not have.
graph::Cut cut_of(const graph::Graph& graph, const search::Plan& plan);

/// See quantization_spec in bundle.h.
///
/// A unit that only moves values (MaxPool, Reshape, ..) passes its input's quantizer on where the plan gives both the
/// same bits: the values already lie on that grid, so nothing is lost and runtimes run the unit on the codes. For the
/// same reason a crossing tensor whose a(t) and b(t) have the same bits is not requantized to another grid.
ChosenQuantizers choose_quantizers(const graph::Graph& graph, const search::Plan& plan,
                                   const quant::CalibrationTable& table);

}  // namespace cleave::bundle
