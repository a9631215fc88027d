#include "tune/tune.h"

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "graph/units.h"
#include "quant/stable_scales.h"
#include "tune/equalize.h"
#include "tune/fit_grid.h"
#include "tune/lapq.h"
#include "tune/network_loss.h"

namespace cleave::tune {

using graph::Graph;
using graph::TensorId;
using graph::Unit;

namespace {

const quant::AffineQuantizer* grid_of(const exec::QuantizationSpec& spec, const std::string& tensor) {
  const auto found = spec.activations.find(tensor);
  return found == spec.activations.end() || !found->second.bits.quantized() ? nullptr : &found->second;
}

/// Scales under which runtimes agree on the codes, for the grids as they are now.
void settle_scales(const Graph& graph, const Unit& unit, exec::QuantizationSpec& spec) {
  const auto weights = spec.weights.find(unit.name);
  if (weights == spec.weights.end() || !weights->second.bits.quantized() || unit.outputs.size() != 1) return;
  const auto* input = grid_of(spec, graph.tensor(graph.node(unit.main).inputs[0]).name);
  const auto* output = grid_of(spec, graph.tensor(unit.outputs[0]).name);
  if (input == nullptr || output == nullptr) return;
  weights->second =
      quant::stable_scales(std::move(weights->second), *input, *output, graph::negative_slope(graph, unit));
}

void settle(const Graph& graph, exec::QuantizationSpec& spec) {
  for (const Unit& unit : graph.units()) settle_scales(graph, unit, spec);
}

/// A crossing tensor that was sent on the edge's own grid still is.
void follow_on_the_wire(exec::QuantizationSpec& spec) {
  for (auto& [name, wire] : spec.wire) {
    const quant::AffineQuantizer* edge = grid_of(spec, name);
    if (edge != nullptr && edge->bits == wire.bits) wire = *edge;
  }
}

/// Takes both networks through the units, one after the other.
class UnitByUnit {
 public:
  UnitByUnit(const Graph& graph, exec::QuantizationSpec spec, std::span<const Tensor> inputs,
             const TuneOptions& options)
      : graph_(graph),
        options_(options),
        workers_(thread_count(options.threads)),
        floats_(graph, inputs, {}, workers_),
        rounded_(graph, inputs, spec.activations, workers_),
        tuned_{std::move(spec), {}, {}} {}

  Tuned run(const StageControl& control) {
    const std::size_t units = graph_.units().size();
    for (std::size_t u = 0; u < units; ++u) {
      if (control.stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "tuning interrupted");
      control.report(static_cast<std::int64_t>(u), static_cast<std::int64_t>(units));
      take(u);
    }
    control.report(static_cast<std::int64_t>(units), static_cast<std::int64_t>(units));
    return std::move(tuned_);
  }

 private:
  void take(std::size_t u) {
    const Unit& unit = graph_.units()[u];
    if (tuned_.spec.edge.on_edge[u]) {
      choose_grid(u);
      const auto weights = tuned_.spec.weights.find(unit.name);
      if (weights != tuned_.spec.weights.end() && weights->second.bits.quantized() && unit.outputs.size() == 1) {
        settle_scales(graph_, unit, tuned_.spec);
        exec::QuantizationSpec chosen = tuned_.spec;
        tuned_.units.push_back(UnitTuner(graph_, u, floats_, rounded_, tuned_.spec).tune(options_.steps, chosen));
        tuned_.spec = std::move(chosen);
        settle_scales(graph_, unit, tuned_.spec);
      }
    }
    Part in_floats(graph_, {u, u + 1}, {}, workers_);
    floats_.advance(in_floats);
    Part in_codes(exec::with_rounded_unit(graph_, unit, tuned_.spec), {u, u + 1}, tuned_.spec.activations, workers_);
    rounded_.advance(in_codes);
  }

  void choose_grid(std::size_t u) {
    const Unit& unit = graph_.units()[u];
    if (unit.outputs.size() != 1) return;
    const std::string& name = graph_.tensor(unit.outputs[0]).name;
    const quant::AffineQuantizer* own = grid_of(tuned_.spec, name);
    if (own == nullptr) return;
    if (const auto moved = graph::moved_tensor(graph_, unit)) {
      const quant::AffineQuantizer* source = grid_of(tuned_.spec, graph_.tensor(*moved).name);
      if (source != nullptr && source->bits == own->bits) tuned_.spec.activations[name] = *source;
    } else if (options_.steps.contains(Step::kGrids)) {
      Part in_floats(graph_, {u, u + 1}, {}, workers_);
      Part plainly(exec::with_rounded_unit(graph_, unit, tuned_.spec), {u, u + 1}, {}, workers_);
      tuned_.spec.activations[name] = fit_grid(*own, rounded_.outputs_of(plainly), floats_.outputs_of(in_floats));
    }
  }

  const Graph& graph_;
  const TuneOptions& options_;
  int workers_;
  SampleStream floats_;
  SampleStream rounded_;
  Tuned tuned_;
};

/// The steps that look at the network's own loss.
class Joint {
 public:
  Joint(const Graph& graph, std::span<const Tensor> inputs, const TuneOptions& options, const StageControl& control)
      : graph_(graph), options_(options), control_(control), loss_(graph, inputs, options.labels, options.threads) {}

  exec::QuantizationSpec lapq(const exec::QuantizationSpec& spec, std::vector<JointReport>& reports) const {
    CLEAVE_CHECK(options_.table != nullptr, "LAPQ looks at the calibration table");
    const PChoice start = choose_p(graph_, spec, *options_.table, loss_);
    const double before = loss_.of(spec);
    const bool better = start.best.loss < before;
    auto result = search(Step::kLapq, better ? start.spec : spec, reports);
    reports.back().p = better ? start.best.p : 0;
    reports.back().loss_before = before;
    return result;
  }

  exec::QuantizationSpec search(Step step, const exec::QuantizationSpec& spec,
                                std::vector<JointReport>& reports) const {
    JointOptions joint;
    joint.sweeps = options_.sweeps;
    if (options_.out_of_time) joint.out_of_time = [this, step] { return options_.out_of_time(step); };
    if (options_.on_state) {
      joint.on_state = [this, step](const JointState& state) { options_.on_state({step, state}); };
    }
    if (options_.resume && options_.resume->step == step) joint.resume = options_.resume->state;
    JointResult result = joint_search(graph_, spec, loss_, joint, control_);
    reports.push_back({step, 0, result.loss_before, result.loss_after, result.evaluations, result.finished});
    return std::move(result.spec);
  }

 private:
  const Graph& graph_;
  const TuneOptions& options_;
  const StageControl& control_;
  NetworkLoss loss_;
};

/// All steps but equalisation.
Tuned tune_weights(const Graph& graph, exec::QuantizationSpec spec, std::span<const Tensor> inputs,
                   const TuneOptions& options, const StageControl& control) {
  std::optional<Joint> joint;
  const bool lapq = options.steps.contains(Step::kLapq);
  const bool refine = options.steps.contains(Step::kRefine);
  if (lapq || refine) joint.emplace(graph, inputs, options, control);
  std::vector<JointReport> reports;
  if (lapq) spec = joint->lapq(spec, reports);
  Tuned tuned = UnitByUnit(graph, std::move(spec), inputs, options).run(control);
  if (refine) {
    tuned.spec = joint->search(Step::kRefine, tuned.spec, reports);
    settle(graph, tuned.spec);
  }
  follow_on_the_wire(tuned.spec);
  tuned.joint = std::move(reports);
  return tuned;
}

/// The table with other statistics of the rescaled tensors.
std::optional<quant::CalibrationTable> table_of(const EqualizedSpec& equalized, const TuneOptions& options) {
  if (options.table == nullptr) return std::nullopt;
  quant::CalibrationTable table = *options.table;
  for (const auto& [name, statistics] : equalized.tensors) table.tensors[name] = statistics;
  return table;
}

}  // namespace

Tuned tune(const Graph& graph, exec::QuantizationSpec spec, std::span<const Tensor> inputs, const TuneOptions& options,
           const StageControl& control) {
  if (inputs.empty()) throw Error(ErrorKind::kInvalidInput, "tuning needs samples", "Give it a few dozen images.");
  if (!options.steps.contains(Step::kEqualize)) {
    return tune_weights(graph, std::move(spec), inputs, options, control);
  }
  const EqualizedSpec equalized =
      equalize(graph, std::move(spec), inputs,
               {options.steps.contains(Step::kLoosen) ? UpperBounds::kLoosen : UpperBounds::kKeep, options.threads});
  const auto table = table_of(equalized, options);
  TuneOptions others = options;
  others.table = table ? &*table : nullptr;
  Tuned tuned = tune_weights(equalized.network.graph, equalized.spec, inputs, others, control);
  keep_parameters(equalized.network, tuned.spec);
  return tuned;
}

}  // namespace cleave::tune
