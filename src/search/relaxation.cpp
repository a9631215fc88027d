#include "search/relaxation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "search/item.h"
#include "search/max_flow.h"

namespace cleave::search {

namespace {

constexpr double kUnlimited = MaxFlow::kUnlimited;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::optional<std::int64_t> smaller(const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<std::int64_t> weight_limit(const Problem& problem) {
  return smaller(problem.limits.weight_bytes, problem.limits.edge_memory_bytes);
}

/// Part of a tensor's activation distortion that each possible payer takes: its consumers, and the result if it is one.
double share_of(const ProblemTensor& tensor) {
  const std::size_t payers = tensor.consumers.size() + (tensor.is_output && tensor.producer >= 0 ? 1 : 0);
  return payers == 0 ? 0 : 1.0 / static_cast<double>(payers);
}

/// Least activation distortion with at most `bits`; infinite when nothing is that narrow.
double least_distortion(const ProblemTensor& tensor, int bits) {
  double least = kInfinity;
  for (const ActivationOption& option : tensor.activation) {
    if (option.bits <= bits) least = std::min(least, option.distortion);
  }
  return least;
}

std::int64_t least_live_bytes(const ProblemTensor& tensor) {
  int bits = 64;
  if (!tensor.activation.empty()) bits = tensor.activation.front().bits;
  if (!tensor.wire.empty()) bits = std::min(bits, tensor.wire.front().bits);
  const bool used = tensor.is_output || !tensor.consumers.empty();
  return used && !(tensor.activation.empty() && tensor.wire.empty()) ? (tensor.elements * bits + 7) / 8 : 0;
}

/// Whether a unit's own weights and tensors at the fewest bits break a memory limit.
bool too_large(const Problem& problem, const ProblemUnit& unit) {
  std::set<int> live(unit.inputs.begin(), unit.inputs.end());
  live.insert(unit.outputs.begin(), unit.outputs.end());
  std::int64_t activations = 0;
  for (const int t : live) activations += least_live_bytes(item(problem.tensors, t));
  std::int64_t weights = unit.weight.front().bytes;
  for (const WeightOption& option : unit.weight) weights = std::min(weights, option.bytes);
  const Limits& limits = problem.limits;
  return (limits.activation_bytes && activations > *limits.activation_bytes) ||
         (limits.weight_bytes && weights > *limits.weight_bytes) ||
         (limits.edge_memory_bytes && activations + weights > *limits.edge_memory_bytes);
}

double capacity(double seconds) {
  return std::min(seconds, kUnlimited);
}

}  // namespace

Relaxation::Relaxation(const Problem& problem, const Multipliers& multipliers)
    : problem_(problem), multipliers_(multipliers) {
  if (!problem.limits.distortion) multipliers_.distortion = 0;
  if (!weight_limit(problem)) multipliers_.weight_bytes = 0;
  if (problem.limits.distortion) refund_s_ += multipliers_.distortion * *problem.limits.distortion * (1 + 1e-12);
  if (const auto limit = weight_limit(problem)) refund_s_ += multipliers_.weight_bytes * static_cast<double>(*limit);
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    edge_s_.push_back(unit_edge_s(u));
    cloud_s_.push_back(problem.units[u].cloud_s.value_or(kUnlimited));
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) wire_s_.push_back(tensor_wire_s(t));
  cut();
}

double Relaxation::unit_edge_s(std::size_t u) const {
  const ProblemUnit& unit = problem_.units[u];
  if (unit.edge_s.empty() || too_large(problem_, unit)) return kUnlimited;
  const std::set<int> inputs(unit.inputs.begin(), unit.inputs.end());
  double least = kInfinity;
  for (const WeightOption& weight : unit.weight) {
    const double price =
        multipliers_.distortion * weight.distortion + multipliers_.weight_bytes * static_cast<double>(weight.bytes);
    for (const auto& [bits, seconds] : unit.edge_s.at(weight.bits)) {
      double sum = seconds + price;
      for (const int t : inputs) {
        const ProblemTensor& tensor = item(problem_.tensors, t);
        const double distortion = least_distortion(tensor, bits);
        sum += distortion == kInfinity ? kInfinity : multipliers_.distortion * share_of(tensor) * distortion;
      }
      least = std::min(least, sum);
      if (inputs.empty()) break;  // its column of fewest bits
    }
  }
  for (const int t : unit.outputs) {
    const ProblemTensor& tensor = item(problem_.tensors, t);
    if (!tensor.is_output) continue;
    const double distortion = least_distortion(tensor, 64);
    least += distortion == kInfinity ? kInfinity : multipliers_.distortion * share_of(tensor) * distortion;
  }
  return capacity(least);
}

double Relaxation::tensor_wire_s(std::size_t t) const {
  double least = kUnlimited;
  for (const WireOption& option : problem_.tensors[t].wire) {
    const double seconds = static_cast<double>(option.bytes) / problem_.link.bytes_per_s;
    least = std::min(least, seconds + multipliers_.distortion * option.distortion);
  }
  return least;
}

// Nodes: source (edge side), sink (cloud side), one per unit, one per tensor (cloud side: it crosses or is made there),
// one for the round trip and one for the download. A unit on the edge cuts the arc to the sink, on the cloud the one
// from the source; a tensor that crosses cuts the arc from its producer. Unlimited arcs forbid: an edge unit fed from
// the cloud, a cloud unit whose tensor did not cross, one behind the network inputs without a round trip.
void Relaxation::cut() {
  const int units = static_cast<int>(problem_.units.size());
  const int tensors = static_cast<int>(problem_.tensors.size());
  const int source = units + tensors;
  const int sink = source + 1;
  const int round_trip = source + 2;
  const int download = source + 3;
  MaxFlow flow(source + 4);
  for (int u = 0; u < units; ++u) {
    flow.add_arc(u, sink, item(edge_s_, u));
    flow.add_arc(source, u, capacity(item(cloud_s_, u)));
  }
  std::vector<bool> behind_input(problem_.tensors.size(), false);
  for (int t = 0; t < tensors; ++t) {
    const ProblemTensor& tensor = item(problem_.tensors, t);
    const int maker = tensor.producer >= 0 ? tensor.producer : source;
    flow.add_arc(maker, units + t, item(wire_s_, t));
    for (const int u : tensor.consumers) {
      flow.add_arc(units + t, u, kUnlimited);
      if (tensor.producer >= 0) flow.add_arc(u, tensor.producer, kUnlimited);
    }
    if (!tensor.is_output) continue;
    if (problem_.result_at == ResultAt::kCloud) flow.add_arc(units + t, sink, kUnlimited);
    if (problem_.result_at == ResultAt::kEdge && tensor.producer >= 0) {
      flow.add_arc(download, tensor.producer, kUnlimited);
    }
  }
  for (int u = 0; u < units; ++u) {
    const ProblemUnit& unit = item(problem_.units, u);
    const bool behind = std::any_of(unit.inputs.begin(), unit.inputs.end(), [&](int t) {
      return item(problem_.tensors, t).producer < 0 || item(behind_input, t);
    });
    for (const int t : unit.outputs) item(behind_input, t) = behind;
    if (behind) flow.add_arc(round_trip, u, kUnlimited);
  }
  const ProblemLink& link = problem_.link;
  flow.add_arc(source, round_trip, link.rtt_s + link.header_bytes / link.bytes_per_s);
  if (problem_.result_at == ResultAt::kEdge) {
    flow.add_arc(source, download, link.result_bytes / link.download_bytes_per_s);
  }
  const double value = flow.solve(source, sink);
  const std::vector<bool>& side = flow.source_side();
  on_edge_.assign(side.begin(), side.begin() + units);
  bound_s_ = value >= kUnlimited / 2 ? kInfinity : value * (1 - 1e-13) - refund_s_;
}

double Relaxation::pays_s(const std::vector<bool>& on_edge) const {
  double sum = 0;
  bool crosses = false;
  for (std::size_t u = 0; u < on_edge.size(); ++u) sum += on_edge[u] ? edge_s_[u] : cloud_s_[u];
  for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
    const ProblemTensor& tensor = problem_.tensors[t];
    const bool here = tensor.producer < 0 || item(on_edge, tensor.producer);
    const bool cloud_use =
        std::any_of(tensor.consumers.begin(), tensor.consumers.end(), [&on_edge](int u) { return !item(on_edge, u); });
    if (!here || !(cloud_use || (tensor.is_output && problem_.result_at == ResultAt::kCloud))) continue;
    sum += wire_s_[t];
    crosses = true;
  }
  const ProblemLink& link = problem_.link;
  if (crosses) sum += link.rtt_s + link.header_bytes / link.bytes_per_s;
  const bool result_away = std::any_of(problem_.outputs.begin(), problem_.outputs.end(), [&](int t) {
    const int producer = item(problem_.tensors, t).producer;
    return producer >= 0 && !item(on_edge, producer);
  });
  if (problem_.result_at == ResultAt::kEdge && result_away) sum += link.result_bytes / link.download_bytes_per_s;
  return sum;
}

double Relaxation::bound_of(const std::vector<bool>& on_edge) const {
  const double sum = pays_s(on_edge);
  return sum >= kUnlimited / 2 ? kInfinity : sum * (1 - 1e-13) - refund_s_;
}

namespace {

/// Climbs the concave bound along one multiplier at a time.
class Climb {
 public:
  explicit Climb(const Problem& problem) : problem_(problem) {}

  Bound run() {
    look({});
    free_s_ = std::max(best_.bound_s, 1e-9);
    if (best_.bound_s == kInfinity) return best_;
    const bool distortion = problem_.limits.distortion.has_value();
    const bool weights = weight_limit(problem_).has_value();
    if (distortion) climb(&Multipliers::distortion, free_s_ / std::max(*problem_.limits.distortion, 1e-6));
    if (weights)
      climb(&Multipliers::weight_bytes, free_s_ / std::max(1.0, static_cast<double>(*weight_limit(problem_))));
    if (distortion && weights && best_.multipliers.weight_bytes > 0) {
      climb(&Multipliers::distortion, free_s_ / std::max(*problem_.limits.distortion, 1e-6));
    }
    return best_;
  }

 private:
  double look(const Multipliers& multipliers) {
    const Relaxation relaxation(problem_, multipliers);
    if (relaxation.bound_s() < kInfinity && seen_.insert(relaxation.on_edge()).second) {
      best_.edge_sets.push_back(relaxation.on_edge());
    }
    if (first_ || relaxation.bound_s() > best_.bound_s) {
      best_.bound_s = relaxation.bound_s();
      best_.multipliers = multipliers;
    }
    first_ = false;
    return relaxation.bound_s();
  }

  /// Golden section over the exponent: scale * 10^-5 .. scale * 10^7.
  void climb(double Multipliers::*which, double scale) {
    const double golden = (std::sqrt(5.0) - 1) / 2;
    const Multipliers start = best_.multipliers;
    const auto value = [&](double exponent) {
      Multipliers multipliers = start;
      multipliers.*which = scale * std::pow(10.0, exponent);
      return look(multipliers);
    };
    double low = -5;
    double high = 7;
    double a = high - golden * (high - low);
    double b = low + golden * (high - low);
    double at_a = value(a);
    double at_b = value(b);
    for (int step = 0; step < 40; ++step) {
      if (at_a > at_b) {
        high = b;
        b = a;
        at_b = at_a;
        a = high - golden * (high - low);
        at_a = value(a);
      } else {
        low = a;
        a = b;
        at_a = at_b;
        b = low + golden * (high - low);
        at_b = value(b);
      }
    }
  }

  const Problem& problem_;
  Bound best_;
  bool first_ = true;
  double free_s_ = 0;
  std::set<std::vector<bool>> seen_;
};

double least_seconds(const ProblemUnit& unit) {
  double least = unit.cloud_s.value_or(kInfinity);
  for (const auto& [weight, row] : unit.edge_s) {
    for (const auto& [activation, seconds] : row) least = std::min(least, seconds);
  }
  return least;
}

}  // namespace

Bound best_bound(const Problem& problem) {
  return Climb(problem).run();
}

double lower_bound_s(const Problem& problem, Pricing pricing) {
  double sum = 0;
  for (const ProblemUnit& unit : problem.units) sum += least_seconds(unit);
  return pricing == Pricing::kExact ? std::max(sum * (1 - 1e-13), best_bound(problem).bound_s) : sum * (1 - 1e-13);
}

}  // namespace cleave::search
