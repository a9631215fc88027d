#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exec/fake_quantize.h"
#include "exec/session.h"
#include "graph/graph.h"
#include "quant/quantizer.h"

namespace cleave::exec {

/// Quantizers of activations by tensor name.
using ActivationQuantizers = std::map<std::string, quant::AffineQuantizer>;

/// x := the nearest value of the quantizer's grid, for each: what QuantizeLinear, Clip, DequantizeLinear give, bit for
/// bit. 32 bits: unchanged.
void round_to_grid(std::span<float> values, const quant::AffineQuantizer& quantizer);

/// Rounds activations of a network where they lie, during a run in floats. It gives what the fake-quantized network
/// gives up to the order of float sums, and grids can change from run to run without compiling anything.
class ActivationRounder : public ActivationEditor {
 public:
  /// Tensors of `graph` that `quantizers` name, but for its inputs; names that it does not have are passed over.
  ActivationRounder(const graph::Graph& graph, const ActivationQuantizers& quantizers);

  /// What Session::run_edited is to hand over.
  std::span<const graph::TensorId> edited() const { return edited_; }
  /// Takes the grids of the same tensors from `quantizers`.
  void set(const ActivationQuantizers& quantizers);
  void edit(graph::TensorId tensor, std::span<float> values) override;

 private:
  std::vector<graph::TensorId> edited_;
  std::vector<std::string> names_;  ///< of edited_
  std::vector<quant::AffineQuantizer> grids_;
};

/// The network with the weights and biases of `spec` as dequantized floats (coded_bias), everything else as it is.
/// Throws Error(kInvalidInput) for a unit that the graph does not have.
graph::Graph with_rounded_weights(const graph::Graph& graph, const QuantizationSpec& spec);
/// The same with the weights and bias of one unit of the graph alone: cheap where only that unit is to run.
graph::Graph with_rounded_unit(const graph::Graph& graph, const graph::Unit& unit, const QuantizationSpec& spec);

}  // namespace cleave::exec
