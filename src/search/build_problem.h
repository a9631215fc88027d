#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cost/device.h"
#include "cost/link.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "quant/clip.h"
#include "search/problem.h"

namespace cleave::search {

/// Damage at the network's outputs of rounding one thing alone, by name and bits ('cleave sensitivity').
struct MeasuredDamage {
  std::map<std::string, std::map<int, double>> weights;      ///< by unit
  std::map<std::string, std::map<int, double>> activations;  ///< by tensor; also taken where it is sent
};

/// What the user asks for, besides the network and its table.
struct Scenario {
  cost::Device edge;
  cost::Device cloud;
  cost::Link link;
  std::vector<int> weight_bits{2, 4, 8};
  std::vector<int> activation_bits{2, 4, 8};
  std::vector<int> wire_bits{2, 4, 8};  ///< of internal tensors; network inputs are sent at 8 (and 32 if listed)
  int input_bits = 8;
  int float_bits = 32;  ///< a value of so many bits or more is not quantized: no distortion
  ResultAt result_at = ResultAt::kAnywhere;
  quant::ClipMethod clip = quant::ClipMethod::kAuto;
  std::optional<MeasuredDamage> damage;  ///< distortions are these; empty: relative error powers of the tensors
  Limits limits;                         ///< edge_memory_bytes defaults to the edge device's
  std::optional<std::vector<std::string>> pinned_cut;  ///< tensors that must be exactly the crossing ones
};

/// The numbers of a network in a scenario. A pinned cut is expressed by units that may run on one side only.
/// Throws Error(kStale) when the table was made from another graph, Error(kInvalidInput) when `damage` lacks bits that
/// the scenario allows.
Problem build_problem(const graph::Graph& graph, const quant::CalibrationTable& table, const Scenario& scenario);

/// The same network and devices as the published partitioners see them: all on the edge at its device's float width,
/// the network inputs sent raw (scenario.input_bits), nothing distorted nor pinned; memory limits as in the scenario.
/// Empty when the edge device is a table without seconds at that width.
std::optional<Problem> full_precision_problem(const graph::Graph& graph, const quant::CalibrationTable& table,
                                              const Scenario& scenario);

}  // namespace cleave::search
