#include "search/relaxation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "search/item.h"

namespace cleave::search {

namespace {

constexpr double kForbidden = CutCosts::kForbidden;
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
  return std::min(seconds, kForbidden);
}

}  // namespace

Relaxation::Relaxation(const Problem& problem, const Multipliers& multipliers)
    : problem_(problem), multipliers_(multipliers) {
  if (!problem.limits.distortion) multipliers_.distortion = 0;
  if (!weight_limit(problem)) multipliers_.weight_bytes = 0;
  if (problem.limits.distortion) refund_s_ += multipliers_.distortion * *problem.limits.distortion * (1 + 1e-12);
  if (const auto limit = weight_limit(problem)) refund_s_ += multipliers_.weight_bytes * static_cast<double>(*limit);
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    costs_.edge_s.push_back(unit_edge_s(u));
    costs_.cloud_s.push_back(problem.units[u].cloud_s.value_or(kForbidden));
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) costs_.wire_s.push_back(tensor_wire_s(t));
  costs_.round_trip_s = problem.link.rtt_s + problem.link.header_bytes / problem.link.bytes_per_s;
  cut();
}

double Relaxation::unit_edge_s(std::size_t u) const {
  const ProblemUnit& unit = problem_.units[u];
  if (unit.edge_s.empty() || too_large(problem_, unit)) return kForbidden;
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
  double least = kForbidden;
  for (const WireOption& option : problem_.tensors[t].wire) {
    const double seconds = static_cast<double>(option.bytes) / problem_.link.bytes_per_s;
    least = std::min(least, seconds + multipliers_.distortion * option.distortion);
  }
  return least;
}

void Relaxation::cut() {
  const auto least = least_edge_cut(problem_, costs_, {0, static_cast<int>(problem_.units.size())});
  bound_s_ = least ? least->seconds * (1 - 1e-13) - refund_s_ : kInfinity;
  if (least) on_edge_ = least->on_edge;
}

double Relaxation::pays_s(const std::vector<bool>& on_edge) const {
  double sum = 0;
  bool crosses = false;
  for (std::size_t u = 0; u < on_edge.size(); ++u) sum += on_edge[u] ? costs_.edge_s[u] : costs_.cloud_s[u];
  for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
    const ProblemTensor& tensor = problem_.tensors[t];
    const bool here = tensor.producer < 0 || item(on_edge, tensor.producer);
    const bool cloud_use =
        std::any_of(tensor.consumers.begin(), tensor.consumers.end(), [&on_edge](int u) { return !item(on_edge, u); });
    if (!here || !(cloud_use || (tensor.is_output && problem_.result_at == ResultAt::kCloud))) continue;
    sum += costs_.wire_s[t];
    crosses = true;
  }
  if (crosses) sum += costs_.round_trip_s;
  const bool result_away = std::any_of(problem_.outputs.begin(), problem_.outputs.end(), [&](int t) {
    const int producer = item(problem_.tensors, t).producer;
    return producer >= 0 && !item(on_edge, producer);
  });
  if (problem_.result_at == ResultAt::kEdge && result_away)
    sum += problem_.link.result_bytes / problem_.link.download_bytes_per_s;
  return sum;
}

double Relaxation::bound_of(const std::vector<bool>& on_edge) const {
  const double sum = pays_s(on_edge);
  return sum >= kForbidden / 2 ? kInfinity : sum * (1 - 1e-13) - refund_s_;
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

double least_sum_s(const Problem& problem) {
  double sum = 0;
  for (const ProblemUnit& unit : problem.units) sum += least_seconds(unit);
  return sum * (1 - 1e-13);
}

}  // namespace

Bound best_bound(const Problem& problem) {
  return Climb(problem).run();
}

double lower_bound_s(const Problem& problem, Pricing pricing) {
  const double sum_s = least_sum_s(problem);
  return pricing == Pricing::kExact ? std::max(sum_s, best_bound(problem).bound_s) : sum_s;
}

double quick_bound_s(const Problem& problem, Pricing pricing) {
  const double sum_s = least_sum_s(problem);
  return pricing == Pricing::kExact ? std::max(sum_s, Relaxation(problem, {}).bound_s()) : sum_s;
}

}  // namespace cleave::search
