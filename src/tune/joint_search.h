#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "tune/network_loss.h"
#include "tune/sample_stream.h"

namespace cleave::tune {

/// The steps of a quantized network as one vector: u_i = ln(step_i / its step in the starting spec). One entry for each
/// activation grid, and one for each unit's weight scales, which keep their ratios between channels.
struct StepVector {
  std::map<std::string, double> activations;  ///< by tensor
  std::map<std::string, double> weights;      ///< by unit
};

/// Where a joint search stands: enough to go on from.
struct JointState {
  StepVector steps;
  std::int64_t sweep = 0;
  std::size_t unit = 0;  ///< the next one of this sweep
  bool operator==(const JointState&) const;
};

struct JointOptions {
  int sweeps = 2;
  double first_step = 0.1;  ///< of a line search, in u
  double lowest = -1.2;     ///< bounds of u
  double highest = 0.7;
  std::function<bool()> out_of_time;                ///< asked between line searches; may be empty
  std::function<void(const JointState&)> on_state;  ///< after each unit; may be empty
  std::optional<JointState> resume;
};

struct JointResult {
  exec::QuantizationSpec spec;
  double loss_before = 0;
  double loss_after = 0;  ///< the least seen: never above loss_before
  std::int64_t evaluations = 0;
  bool finished = true;  ///< false: out of time
};

/// LAPQ's joint phase: all steps of a network chosen together by the network's own loss, mean over the samples.
///
/// Powell's method over u: a sweep takes one line search per step, in schedule order, with the samples standing before
/// the unit whose step it is, so that what lies before is not run again; a trial that cannot become the best is given
/// up early. After a sweep from x0 to xN, the direction xN - x0 is searched as well, where Powell's condition
///
///     f(2 xN - x0) < f(x0)  and  2 (f0 - 2 fN + fE) (f0 - fN - d)^2 < d (f0 - fE)^2,   d: the largest decrease of a
///     step
///
/// says that it pays. Weights without codes are rounded to the nearest at each trial; given codes stay as they are, so
/// that their scales move what they stand for. Tensors that only move values follow their source. Source: Nahshan et
/// al., "Loss aware post-training quantization", 2021; Powell, 1964.
///
/// Throws Error(kInterrupted) on a stop request.
JointResult joint_search(const graph::Graph& graph, const exec::QuantizationSpec& start, const NetworkLoss& loss,
                         const JointOptions& options, const StageControl& control = {});

/// The spec with its steps multiplied by e^u.
exec::QuantizationSpec with_steps(const graph::Graph& graph, const exec::QuantizationSpec& start,
                                  const StepVector& steps);

}  // namespace cleave::tune
