#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/progress.h"
#include "core/tensor.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "quant/clip.h"
#include "tune/sensitivity_table.h"

namespace cleave::tune {

struct SensitivityOptions {
  std::vector<int> weight_bits{2, 3, 4, 5, 6, 7, 8};      ///< 2..8, ascending
  std::vector<int> activation_bits{2, 3, 4, 5, 6, 7, 8};  ///< likewise; network inputs have 8 bits beside them
  quant::ClipMethod clip = quant::ClipMethod::kAuto;
  int threads = 0;  ///< samples in flight; 0: all cores. Nothing depends on it.
};

/// Samples per call of SensitivityMeter::add that keep both memory and compilation small.
inline constexpr std::size_t kSensitivityChunk = 16;

/// Measures what rounding one thing alone does to a network's outputs: one unit's weights, or one activation, at each
/// bit-width, everything else in float.
///
///     unit u:   x --float units [0, u)--> live tensors --unit u, rounded weights--> t' --float units (u, end)--> y'
///     tensor t: x --float units [0, u]--> live tensors, t rounded to its grid  ----------------------------^
///     damage = output_damage(y, y')
///
/// What lies before u is run once per sample, what follows is compiled once per u. Activations that a unit only moves
/// lie on their source's grid and are not measured.
class SensitivityMeter {
 public:
  /// Chooses all grids. Throws Error(kStale) when the table was made from another network, Error(kUnsupported) when
  /// the network has several inputs. Cost: that of choosing weights and activations at each bit-width.
  SensitivityMeter(const graph::Graph& graph, const quant::CalibrationTable& table, const SensitivityOptions& options);
  ~SensitivityMeter();
  SensitivityMeter(const SensitivityMeter&) = delete;
  SensitivityMeter& operator=(const SensitivityMeter&) = delete;

  /// Adds samples: float32 tensors for the network's input. Memory: live tensors of these samples; the sums do not
  /// depend on how samples are grouped. Progress counts units.
  /// Throws Error(kInterrupted) on a stop request; the sums are then as before.
  void add(std::span<const Tensor> samples, const StageControl& control = {});

  /// Everything but images and shards.
  const SensitivityTable& table() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How many samples cost some minutes on two cores, by multiply-accumulates and elements of what is run: 8 to 256.
/// Depends on network and bits only.
std::int64_t affordable_samples(const graph::Graph& graph, const SensitivityOptions& options);

}  // namespace cleave::tune
