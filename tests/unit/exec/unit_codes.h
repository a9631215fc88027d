#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::exec::testing {

/// A unit of a quantized network on its own: from the codes (and network inputs) that it reads to the codes it makes.
struct CodeUnit {
  std::string name;  ///< of the codes it makes
  graph::Graph graph;
  std::vector<std::string> inputs;  ///< in the graph's order
};

/// Every tensor of 8-bit codes that activations are quantized to, with what computes it, in node order.
std::vector<CodeUnit> code_units(const graph::Graph& quantized);

/// The codes of all units (and the input) by name, as ONNX Runtime computes them.
/// optimization  as ort_run takes it: "disabled" computes in floats between the codes, "all" on integers.
std::map<std::string, Tensor> codes_in_ort(const graph::Graph& quantized, const Tensor& input,
                                           const std::string& optimization);

/// How far two tensors of codes are apart.
struct CodeDifference {
  std::int64_t apart = 0;  ///< elements that differ
  int largest = 0;         ///< difference, in codes
};
CodeDifference code_difference(const Tensor& a, const Tensor& b);

/// What a unit makes of these codes. ONNX Runtime's Sigmoid is off by up to 1e-7 of the whole range, a good part of a
/// code where all values are small: units with one are judged by the reference kernels, others by ONNX Runtime.
Tensor judged_codes(const CodeUnit& unit, const std::map<std::string, Tensor>& codes_in_ort);

/// What the fast kernels make of them.
Tensor fast_codes(const CodeUnit& unit, const std::map<std::string, Tensor>& codes_in_ort);

}  // namespace cleave::exec::testing
