#include "search/edge_part.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search {

namespace {

bool tensor_on_edge(const Problem& problem, const EdgePart& part, int t) {
  const int producer = item(problem.tensors, t).producer;
  return producer < 0 || item(part.on_edge, producer);
}

/// Network inputs, then unit outputs in the order of the units.
std::vector<int> schedule_order(const Problem& problem) {
  std::vector<int> order = problem.inputs;
  for (const ProblemUnit& unit : problem.units) order.insert(order.end(), unit.outputs.begin(), unit.outputs.end());
  return order;
}

bool units_may_run(const Problem& problem, EdgePart& part) {
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    const ProblemUnit& unit = problem.units[u];
    if (!part.on_edge[u]) {
      if (!unit.cloud_s) return false;
      part.cloud_s += *unit.cloud_s;
      continue;
    }
    if (unit.edge_s.empty()) return false;
    for (const int t : unit.inputs) {
      if (!tensor_on_edge(problem, part, t)) return false;
    }
    part.units.push_back(static_cast<int>(u));
  }
  return true;
}

bool collect_tensors(const Problem& problem, EdgePart& part) {
  part.is_decided.assign(problem.tensors.size(), false);
  part.is_crossing.assign(problem.tensors.size(), false);
  for (const int t : schedule_order(problem)) {
    const ProblemTensor& tensor = item(problem.tensors, t);
    if (!tensor_on_edge(problem, part, t)) continue;
    const auto on_edge = [&part](int u) { return item(part.on_edge, u); };
    const bool edge_use = std::any_of(tensor.consumers.begin(), tensor.consumers.end(), on_edge);
    const bool cloud_use = !std::all_of(tensor.consumers.begin(), tensor.consumers.end(), on_edge);
    if (edge_use || (tensor.is_output && tensor.producer >= 0)) {
      part.decided.push_back(t);
      item(part.is_decided, t) = true;
      if (tensor.activation.empty()) return false;
    }
    if (cloud_use || (tensor.is_output && problem.result_at == ResultAt::kCloud)) {
      part.crossing.push_back(t);
      item(part.is_crossing, t) = true;
      if (tensor.wire.empty()) return false;
    }
  }
  return true;
}

int last_edge_consumer(const EdgePart& part, const ProblemTensor& tensor) {
  int last = -1;
  for (const int u : tensor.consumers) {
    if (item(part.on_edge, u)) last = u;
  }
  return last;
}

/// A tensor that takes bytes is live from its producer (inputs: from the start) to its last edge consumer, or to the
/// end when it crosses or is a network output made on the edge.
void collect_live(const Problem& problem, EdgePart& part) {
  part.live.resize(part.units.size());
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    if (!part.is_decided[t] && !part.is_crossing[t]) continue;
    const ProblemTensor& tensor = problem.tensors[t];
    const bool to_the_end = part.is_crossing[t] || (tensor.is_output && tensor.producer >= 0);
    const int last = to_the_end ? static_cast<int>(problem.units.size()) : last_edge_consumer(part, tensor);
    const auto first = std::lower_bound(part.units.begin(), part.units.end(), tensor.producer) - part.units.begin();
    for (auto k = static_cast<std::size_t>(first); k < part.units.size() && part.units[k] <= last; ++k) {
      part.live[k].push_back(static_cast<int>(t));
    }
  }
}

double download_s(const Problem& problem, const EdgePart& part) {
  if (problem.result_at != ResultAt::kEdge) return 0;
  const bool on_cloud = std::any_of(problem.outputs.begin(), problem.outputs.end(),
                                    [&](int t) { return !tensor_on_edge(problem, part, t); });
  return on_cloud ? problem.link.result_bytes / problem.link.download_bytes_per_s : 0;
}

void price_link(const Problem& problem, EdgePart& part, Pricing pricing) {
  part.link_fixed_s = download_s(problem, part);
  part.activation_charged.assign(problem.tensors.size(), false);
  part.wire_charged = part.is_crossing;
  if (pricing == Pricing::kExact) {
    if (!part.crossing.empty()) {
      part.link_fixed_s += problem.link.rtt_s + problem.link.header_bytes / problem.link.bytes_per_s;
    }
    return;
  }
  part.wire_charged.assign(problem.tensors.size(), false);
  const auto& sent = part.units.empty() ? problem.inputs : item(problem.units, part.units.back()).outputs;
  for (const int t : sent) {
    item(part.wire_charged, t) = item(part.is_crossing, t);
    item(part.activation_charged, t) = item(part.is_decided, t) && !item(part.is_crossing, t);
  }
}

int choice_bits(const Problem& problem, const Choice& choice, int t) {
  const int a = item(choice.activation, t);
  if (a >= 0) return item(item(problem.tensors, t).activation, a).bits;
  const int b = item(choice.wire, t);
  return b >= 0 ? item(item(problem.tensors, t).wire, b).bits : 0;
}

std::int64_t peak_bytes(const Problem& problem, const EdgePart& part, const Choice& choice) {
  std::int64_t peak = 0;
  for (const auto& live : part.live) {
    std::int64_t bytes = 0;
    for (const int t : live) bytes += live_tensor_bytes(problem, t, choice);
    peak = std::max(peak, bytes);
  }
  return peak;
}

void add_tensors(const Problem& problem, const EdgePart& part, const Choice& choice, Evaluation& e) {
  for (const int t : part.decided) {
    const ActivationOption& option = item(item(problem.tensors, t).activation, item(choice.activation, t));
    e.distortion += option.distortion;
    if (item(part.activation_charged, t)) e.wire_bytes += live_tensor_bytes(problem, t, choice);
  }
  for (const int t : part.crossing) {
    const WireOption& option = item(item(problem.tensors, t).wire, item(choice.wire, t));
    e.distortion += option.distortion;
    if (item(part.wire_charged, t)) e.wire_bytes += option.bytes;
  }
}

}  // namespace

std::optional<EdgePart> make_edge_part(const Problem& problem, std::vector<bool> on_edge, Pricing pricing) {
  EdgePart part;
  part.on_edge = std::move(on_edge);
  if (!units_may_run(problem, part) || !collect_tensors(problem, part)) return std::nullopt;
  collect_live(problem, part);
  price_link(problem, part, pricing);
  return part;
}

Choice uniform_choice(const Problem& problem, const EdgePart& part, bool narrowest) {
  const auto pick = [narrowest](const auto& options) { return narrowest ? 0 : static_cast<int>(options.size()) - 1; };
  Choice choice{std::vector<int>(problem.units.size(), -1), std::vector<int>(problem.tensors.size(), -1),
                std::vector<int>(problem.tensors.size(), -1)};
  for (const int u : part.units) item(choice.weight, u) = pick(item(problem.units, u).weight);
  for (const int t : part.decided) item(choice.activation, t) = pick(item(problem.tensors, t).activation);
  for (const int t : part.crossing) item(choice.wire, t) = pick(item(problem.tensors, t).wire);
  return choice;
}

double edge_unit_seconds(const Problem& problem, int unit, const Choice& choice) {
  const ProblemUnit& u = item(problem.units, unit);
  const auto& row = u.edge_s.at(item(u.weight, item(choice.weight, unit)).bits);
  if (u.inputs.empty()) return row.begin()->second;
  int widest = 0;
  for (const int t : u.inputs) {
    widest = std::max(widest, item(item(problem.tensors, t).activation, item(choice.activation, t)).bits);
  }
  return row.at(widest);
}

std::int64_t live_tensor_bytes(const Problem& problem, int tensor, const Choice& choice) {
  return (item(problem.tensors, tensor).elements * choice_bits(problem, choice, tensor) + 7) / 8;
}

Evaluation evaluate(const Problem& problem, const EdgePart& part, const Choice& choice) {
  Evaluation e;
  for (const int u : part.units) {
    const WeightOption& option = item(item(problem.units, u).weight, item(choice.weight, u));
    e.edge_s += edge_unit_seconds(problem, u, choice);
    e.weight_bytes += option.bytes;
    e.distortion += option.distortion;
  }
  add_tensors(problem, part, choice, e);
  e.activation_bytes = peak_bytes(problem, part, choice);
  e.cloud_s = part.cloud_s;
  e.link_s = part.link_fixed_s + static_cast<double>(e.wire_bytes) / problem.link.bytes_per_s;
  e.latency_s = e.edge_s + e.link_s + e.cloud_s;
  return e;
}

bool within_limits(const Limits& limits, const Evaluation& e) {
  const auto fits = [](const auto& limit, auto used) { return !limit || used <= *limit; };
  return fits(limits.weight_bytes, e.weight_bytes) && fits(limits.activation_bytes, e.activation_bytes) &&
         fits(limits.edge_memory_bytes, e.weight_bytes + e.activation_bytes) &&
         (!limits.distortion || e.distortion <= *limits.distortion * (1 + 1e-12));
}

Decision to_decision(const Problem& problem, const EdgePart& part, const Choice& choice) {
  Decision decision;
  decision.on_edge = part.on_edge;
  for (const int u : part.units) {
    const ProblemUnit& unit = item(problem.units, u);
    if (unit.has_weights) decision.weight_bits[u] = item(unit.weight, item(choice.weight, u)).bits;
  }
  for (const int t : part.decided) {
    decision.activation_bits[t] = item(item(problem.tensors, t).activation, item(choice.activation, t)).bits;
  }
  for (const int t : part.crossing) {
    decision.wire_bits[t] = item(item(problem.tensors, t).wire, item(choice.wire, t)).bits;
  }
  return decision;
}

Choice to_choice(const Problem& problem, const EdgePart& part, const Decision& decision) {
  Choice choice = uniform_choice(problem, part, true);
  const auto set = [](std::vector<int>& chosen, const auto& options, int position, int bits) {
    for (std::size_t o = 0; o < options.size(); ++o) {
      if (options[o].bits == bits) item(chosen, position) = static_cast<int>(o);
    }
  };
  for (const auto& [u, bits] : decision.weight_bits) set(choice.weight, item(problem.units, u).weight, u, bits);
  for (const auto& [t, bits] : decision.activation_bits) {
    set(choice.activation, item(problem.tensors, t).activation, t, bits);
  }
  for (const auto& [t, bits] : decision.wire_bits) set(choice.wire, item(problem.tensors, t).wire, t, bits);
  return choice;
}

Outcome make_outcome(const std::string& solver, Status status, Decision decision, const Evaluation& evaluation,
                     double lower_bound_s) {
  Outcome outcome;
  outcome.status = status;
  outcome.solver = solver;
  outcome.decision = std::move(decision);
  outcome.evaluation = evaluation;
  outcome.lower_bound_s = std::min(lower_bound_s, evaluation.latency_s);
  if (evaluation.latency_s > 0) {
    outcome.gap_ratio = (evaluation.latency_s - outcome.lower_bound_s) / evaluation.latency_s;
  }
  return outcome;
}

}  // namespace cleave::search
