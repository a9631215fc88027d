#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/progress.h"
#include "core/tensor.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "tune/joint_search.h"
#include "tune/steps.h"
#include "tune/unit_tuner.h"

namespace cleave::tune {

/// Where a step that works on the whole network stands.
struct JointProgress {
  Step step = Step::kLapq;
  JointState state;
};

struct TuneOptions {
  Steps steps = default_steps();
  int threads = 0;                                     ///< samples in flight; 0: all cores. Nothing depends on it.
  const quant::CalibrationTable* table = nullptr;      ///< wanted by kLapq
  std::vector<std::int64_t> labels;                    ///< one per sample: kLapq and kRefine take the cross-entropy
  int sweeps = 2;                                      ///< of kLapq and kRefine, at most
  std::function<bool(Step)> out_of_time;               ///< asked now and then by kLapq and kRefine; may be empty
  std::function<void(const JointProgress&)> on_state;  ///< where kLapq or kRefine stand; may be empty
  std::optional<JointProgress> resume;  ///< go on from there: the same samples and options (checked by who saved it)
};

/// What a step that works on the whole network did.
struct JointReport {
  Step step;
  double p = 0;  ///< of kLapq
  double loss_before = 0;
  double loss_after = 0;
  std::int64_t evaluations = 0;
  bool finished = true;
};

struct Tuned {
  exec::QuantizationSpec spec;
  std::vector<UnitReport> units;   ///< units with weights, schedule order
  std::vector<JointReport> joint;  ///< kLapq, kRefine
};

/// A better quantized network than `spec`, at the same bits: steps, codes and biases found by running it on samples.
/// Units are taken in schedule order; each sees inputs that the units before it have already rounded.
///
/// inputs   a float32 tensor per sample for the network's only input. Some dozens do; memory is that of the live
///          tensors of all samples in both networks.
/// Throws Error(kUnsupported) when the network has several inputs; Error(kInvalidInput) without samples;
/// Error(kInterrupted) on a stop request.
Tuned tune(const graph::Graph& graph, exec::QuantizationSpec spec, std::span<const Tensor> inputs,
           const TuneOptions& options, const StageControl& control = {});

}  // namespace cleave::tune
