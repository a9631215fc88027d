#include "tune/joint_search.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "exec/rounding.h"
#include "graph/units.h"
#include "tune/line_search.h"
#include "tune/rest.h"

namespace cleave::tune {

using exec::QuantizationSpec;
using graph::Graph;
using graph::TensorId;
using graph::Unit;

namespace {

/// The tensors that hand on what tensor `id` holds, at the same bits.
bool follows(const QuantizationSpec& spec, const std::string& source, const std::string& tensor) {
  const auto a = spec.activations.find(source);
  const auto b = spec.activations.find(tensor);
  return a != spec.activations.end() && b != spec.activations.end() && a->second.bits == b->second.bits;
}

/// By tensor: the one whose grid it takes.
std::map<std::string, std::string> followers(const Graph& graph, const QuantizationSpec& spec) {
  std::map<std::string, std::string> leaders;
  for (const Unit& unit : graph.units()) {
    const auto moved = graph::moved_tensor(graph, unit);
    if (!moved) continue;
    std::string source = graph.tensor(*moved).name;
    if (const auto found = leaders.find(source); found != leaders.end()) source = found->second;
    for (const TensorId id : unit.outputs) {
      if (follows(spec, source, graph.tensor(id).name)) leaders[graph.tensor(id).name] = source;
    }
  }
  return leaders;
}

std::vector<double*> entries(StepVector& steps) {
  std::vector<double*> all;
  for (auto& [name, u] : steps.activations) all.push_back(&u);
  for (auto& [name, u] : steps.weights) all.push_back(&u);
  return all;
}

/// from + t (to - from)
StepVector on_line(StepVector from, StepVector to, double t) {
  const auto a = entries(from);
  const auto b = entries(to);
  for (std::size_t i = 0; i < a.size(); ++i) *a[i] += t * (*b[i] - *a[i]);
  return from;
}

class JointSearch {
 public:
  JointSearch(const Graph& graph, const QuantizationSpec& start, const NetworkLoss& loss, const JointOptions& options,
              const StageControl& control)
      : graph_(graph), start_(start), loss_(loss), options_(options), control_(control) {
    collect_steps();
    if (options.resume) take_up(*options.resume);
  }

  JointResult run() {
    JointResult result;
    const StepVector none = zeros();
    best_ = whole_loss(none, NetworkLoss::kNoLimit);
    result.loss_before = best_;
    if (options_.resume) best_ = whole_loss(state_.steps, NetworkLoss::kNoLimit);
    for (; state_.sweep < options_.sweeps && !out_of_time(); ++state_.sweep) {
      const double before = best_;
      sweep();
      if (!finished_) break;
      if (before - best_ < 1e-3 * before) break;
    }
    if (best_ > result.loss_before) state_.steps = none;
    result.loss_after = std::min(best_, result.loss_before);
    result.spec = with_steps(graph_, start_, state_.steps);
    result.evaluations = evaluations_;
    result.finished = finished_;
    return result;
  }

 private:
  void collect_steps() {
    const auto leaders = followers(graph_, start_);
    for (std::size_t u = 0; u < graph_.units().size(); ++u) {
      const Unit& unit = graph_.units()[u];
      if (!start_.edge.on_edge[u]) continue;
      for (const TensorId id : unit.outputs) {
        const std::string& name = graph_.tensor(id).name;
        const auto grid = start_.activations.find(name);
        if (grid == start_.activations.end() || !grid->second.bits.quantized() || leaders.contains(name)) continue;
        state_.steps.activations[name] = 0;
      }
      const auto weights = start_.weights.find(unit.name);
      if (weights != start_.weights.end() && weights->second.bits.quantized()) state_.steps.weights[unit.name] = 0;
    }
  }

  /// Only steps of this network within the bounds: the state may come from a file.
  void take_up(const JointState& given) {
    const auto names = [](const std::map<std::string, double>& steps) {
      std::vector<std::string> all;
      for (const auto& [name, u] : steps) all.push_back(name);
      return all;
    };
    if (names(given.steps.activations) != names(state_.steps.activations) ||
        names(given.steps.weights) != names(state_.steps.weights) || given.unit > graph_.units().size()) {
      throw Error(ErrorKind::kStale, "the saved progress belongs to another network", "Start again without --resume.");
    }
    state_ = given;
    state_.steps = bounded(state_.steps);
  }

  StepVector zeros() const {
    StepVector zero = state_.steps;
    for (double* u : entries(zero)) *u = 0;
    return zero;
  }

  bool out_of_time() {
    if (control_.stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "the joint search was interrupted");
    if (!options_.out_of_time || !options_.out_of_time()) return false;
    finished_ = false;
    return true;
  }

  double whole_loss(const StepVector& steps, double limit) {
    ++evaluations_;
    return loss_.of(with_steps(graph_, start_, steps), limit);
  }

  void sweep() {
    const StepVector before = state_.steps;
    const double loss_before = best_;
    double largest_decrease = 0;
    QuantizationSpec spec = with_steps(graph_, start_, state_.steps);
    SampleStream stream(graph_, loss_.inputs(), spec.activations, loss_.workers());
    const std::size_t units = graph_.units().size();
    skip_to(stream, state_.unit);
    for (; state_.unit < units; ++state_.unit) {
      control_.report(static_cast<std::int64_t>(static_cast<std::size_t>(state_.sweep) * units + state_.unit),
                      static_cast<std::int64_t>(static_cast<std::size_t>(options_.sweeps) * units));
      if (options_.on_state) options_.on_state(state_);
      if (out_of_time()) return;
      const double was = best_;
      search_unit(stream, state_.unit);
      largest_decrease = std::max(largest_decrease, was - best_);
      step_over(stream, state_.unit);
    }
    state_.unit = 0;
    search_direction(before, loss_before, largest_decrease);
  }

  void skip_to(SampleStream& stream, std::size_t unit) {
    for (std::size_t u = 0; u < unit; ++u) step_over(stream, u);
  }

  void step_over(SampleStream& stream, std::size_t u) {
    const QuantizationSpec spec = with_steps(graph_, start_, state_.steps);
    Part part(exec::with_rounded_unit(graph_, graph_.units()[u], spec), {u, u + 1}, spec.activations, loss_.workers());
    stream.advance(part);
  }

  void search_unit(const SampleStream& stream, std::size_t u) {
    const Unit& unit = graph_.units()[u];
    std::vector<double*> lines;
    if (const auto w = state_.steps.weights.find(unit.name); w != state_.steps.weights.end())
      lines.push_back(&w->second);
    for (const TensorId id : unit.outputs) {
      const auto a = state_.steps.activations.find(graph_.tensor(id).name);
      if (a != state_.steps.activations.end()) lines.push_back(&a->second);
    }
    if (lines.empty()) return;
    const QuantizationSpec spec = with_steps(graph_, start_, state_.steps);
    const Graph rounded = exec::with_rounded_weights(graph_, spec);
    Rest rest(rounded, u + 1, spec.activations, loss_.workers());
    for (double* line : lines) {
      const double was = *line;
      const Line search{{was, best_}, options_.first_step, options_.lowest, options_.highest};
      const LinePoint found = search_line(search, [&](double at, double limit) {
        *line = at;
        return unit_loss(stream, u, rest, limit);
      });
      *line = found.at;
      best_ = found.loss;
    }
  }

  /// The loss with the steps as they are, from unit u on.
  double unit_loss(const SampleStream& stream, std::size_t u, Rest& rest, double limit) {
    const QuantizationSpec spec = with_steps(graph_, start_, state_.steps);
    Part head(exec::with_rounded_unit(graph_, graph_.units()[u], spec), {u, u + 1}, spec.activations, loss_.workers());
    rest.set_grids(spec.activations);
    ++evaluations_;
    return loss_.mean(limit, [&](int worker, std::size_t i) {
      std::vector<Tensor> made;
      head.run(worker, stream.live(i), made);
      Values live = stream.live(i);
      for (std::size_t o = 0; o < made.size(); ++o) live[head.outputs()[o]] = made[o];
      return rest.run(worker, live);
    });
  }

  void search_direction(const StepVector& before, double loss_before, double largest_decrease) {
    const StepVector after = state_.steps;
    if (out_of_time()) return;
    const double beyond = whole_loss(bounded(on_line(before, after, 2)), NetworkLoss::kNoLimit);
    const double f0 = loss_before;
    const double fn = best_;
    const double left = 2 * (f0 - 2 * fn + beyond) * (f0 - fn - largest_decrease) * (f0 - fn - largest_decrease);
    if (!(beyond < f0) || left >= largest_decrease * (f0 - beyond) * (f0 - beyond)) return;
    const LinePoint found = search_line({{1, best_}, 0.5, 0, 4}, [&](double at, double limit) {
      return whole_loss(bounded(on_line(before, after, at)), limit);
    });
    state_.steps = bounded(on_line(before, after, found.at));
    best_ = found.loss;
  }

  StepVector bounded(StepVector steps) const {
    for (double* u : entries(steps)) *u = std::clamp(*u, options_.lowest, options_.highest);
    return steps;
  }

  const Graph& graph_;
  const QuantizationSpec& start_;
  const NetworkLoss& loss_;
  const JointOptions& options_;
  const StageControl& control_;
  JointState state_;
  double best_ = 0;
  std::int64_t evaluations_ = 0;
  bool finished_ = true;
};

}  // namespace

bool JointState::operator==(const JointState& other) const {
  return steps.activations == other.steps.activations && steps.weights == other.steps.weights && sweep == other.sweep &&
         unit == other.unit;
}

QuantizationSpec with_steps(const Graph& graph, const QuantizationSpec& start, const StepVector& steps) {
  QuantizationSpec spec = start;
  for (const auto& [name, u] : steps.activations) {
    float& scale = spec.activations.at(name).scale;
    scale = static_cast<float>(static_cast<double>(scale) * std::exp(u));
  }
  for (const auto& [name, leader] : followers(graph, start)) spec.activations[name] = spec.activations.at(leader);
  for (const auto& [name, u] : steps.weights) {
    for (float& scale : spec.weights.at(name).scales) {
      scale = static_cast<float>(static_cast<double>(scale) * std::exp(u));
    }
  }
  return spec;
}

JointResult joint_search(const Graph& graph, const QuantizationSpec& start, const NetworkLoss& loss,
                         const JointOptions& options, const StageControl& control) {
  return JointSearch(graph, start, loss, options, control).run();
}

}  // namespace cleave::tune
