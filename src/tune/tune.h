#pragma once

#include <span>
#include <vector>

#include "core/progress.h"
#include "core/tensor.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "tune/steps.h"
#include "tune/unit_tuner.h"

namespace cleave::tune {

struct TuneOptions {
  Steps steps = default_steps();
  int threads = 0;  ///< samples in flight; 0: all cores. Nothing depends on it.
};

struct Tuned {
  exec::QuantizationSpec spec;
  std::vector<UnitReport> units;  ///< units with weights, schedule order
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
