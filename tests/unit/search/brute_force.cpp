#include "unit/search/brute_force.h"

#include <algorithm>
#include <set>

namespace cleave::search::testing {

namespace {

using Bits = std::vector<int>;

/// One thing to decide: its bit-widths.
struct Slot {
  char kind;  ///< 'w', 'a' or 'b'
  int position;
  std::vector<int> bits;
};

struct Numbers {
  double latency_s = 0;
  long weights = 0;
  long peak = 0;
  double distortion = 0;
};

struct Answer {
  Numbers numbers;
  unsigned set;
  Bits bits;  ///< in the order of the slots: weights, activations, wires
};

class Brute {
 public:
  Brute(const Problem& problem, Pricing pricing) : p_(problem), pricing_(pricing) {
    order_ = p_.inputs;
    for (const ProblemUnit& u : p_.units) order_.insert(order_.end(), u.outputs.begin(), u.outputs.end());
  }

  BruteForce run() {
    const unsigned sets = 1U << p_.units.size();
    for (unsigned set = 0; set < sets; ++set) {
      set_ = set;
      if (allowed()) every_choice();
    }
    pick();
    return result_;
  }

 private:
  bool edge_unit(int u) const { return (set_ >> u & 1U) != 0; }
  bool edge_tensor(int t) const {
    for (std::size_t u = 0; u < p_.units.size(); ++u) {
      for (const int o : p_.units[u].outputs) {
        if (o == t) return edge_unit(static_cast<int>(u));
      }
    }
    return true;  // nobody makes it: a network input
  }
  bool network_input(int t) const { return std::count(p_.inputs.begin(), p_.inputs.end(), t) > 0; }
  bool network_output(int t) const { return std::count(p_.outputs.begin(), p_.outputs.end(), t) > 0; }
  bool reads(int u, int t) const {
    const auto& in = p_.units[static_cast<std::size_t>(u)].inputs;
    return std::count(in.begin(), in.end(), t) > 0;
  }
  int units() const { return static_cast<int>(p_.units.size()); }

  bool has_activation(int t) const {
    if (!edge_tensor(t)) return false;
    for (int u = 0; u < units(); ++u) {
      if (edge_unit(u) && reads(u, t)) return true;
    }
    return network_output(t) && !network_input(t);
  }
  bool has_wire(int t) const {
    if (!edge_tensor(t)) return false;
    for (int u = 0; u < units(); ++u) {
      if (!edge_unit(u) && reads(u, t)) return true;
    }
    return network_output(t) && p_.result_at == ResultAt::kCloud;
  }

  bool allowed() const {
    for (int u = 0; u < units(); ++u) {
      const ProblemUnit& unit = p_.units[static_cast<std::size_t>(u)];
      if (!edge_unit(u) && !unit.cloud_s) return false;
      if (!edge_unit(u)) continue;
      if (unit.edge_s.empty()) return false;
      for (const int t : unit.inputs) {
        if (!edge_tensor(t)) return false;
      }
    }
    return true;
  }

  std::vector<Slot> slots() const {
    std::vector<Slot> all;
    for (int u = 0; u < units(); ++u) {
      if (!edge_unit(u)) continue;
      Slot s{'w', u, {}};
      for (const auto& o : p_.units[static_cast<std::size_t>(u)].weight) s.bits.push_back(o.bits);
      all.push_back(s);
    }
    for (const char kind : {'a', 'b'}) {
      for (const int t : order_) {
        if (!(kind == 'a' ? has_activation(t) : has_wire(t))) continue;
        Slot s{kind, t, {}};
        const ProblemTensor& tensor = p_.tensors[static_cast<std::size_t>(t)];
        if (kind == 'a') {
          for (const auto& o : tensor.activation) s.bits.push_back(o.bits);
        } else {
          for (const auto& o : tensor.wire) s.bits.push_back(o.bits);
        }
        all.push_back(s);
      }
    }
    return all;
  }

  void every_choice() {
    slots_ = slots();
    Bits chosen;
    descend(chosen);
  }
  void descend(Bits& chosen) {
    if (chosen.size() == slots_.size()) return weigh(chosen);
    for (const int bits : slots_[chosen.size()].bits) {
      chosen.push_back(bits);
      descend(chosen);
      chosen.pop_back();
    }
  }

  int bits_of(char kind, int position, const Bits& chosen) const {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].kind == kind && slots_[i].position == position) return chosen[i];
    }
    return -1;
  }
  long stored(int t, const Bits& chosen) const {
    int bits = bits_of('a', t, chosen);
    if (bits < 0) bits = std::max(0, bits_of('b', t, chosen));
    const double exact = static_cast<double>(p_.tensors[static_cast<std::size_t>(t)].elements) * bits / 8.0;
    long bytes = static_cast<long>(exact);
    if (static_cast<double>(bytes) < exact) ++bytes;
    return bytes;
  }

  long peak(const Bits& chosen) const {
    long most = 0;
    std::set<int> there(p_.inputs.begin(), p_.inputs.end());
    for (int k = 0; k < units(); ++k) {
      if (!edge_unit(k)) continue;
      const ProblemUnit& unit = p_.units[static_cast<std::size_t>(k)];
      std::set<int> live(unit.inputs.begin(), unit.inputs.end());
      for (const int t : there) {
        bool later = has_wire(t) || (network_output(t) && !network_input(t));
        for (int u = k + 1; u < units(); ++u) later = later || (edge_unit(u) && reads(u, t));
        if (later) live.insert(t);
      }
      for (const int t : unit.outputs) {
        live.insert(t);
        there.insert(t);
      }
      long bytes = 0;
      for (const int t : live) bytes += stored(t, chosen);
      most = std::max(most, bytes);
    }
    return most;
  }

  double link_seconds(const Bits& chosen) const {
    double bytes = 0;
    bool any = false;
    if (pricing_ == Pricing::kExact) {
      for (const Slot& s : slots_) {
        if (s.kind != 'b') continue;
        any = true;
        bytes += wire_bytes(s.position, chosen);
      }
      return any ? p_.link.rtt_s + (p_.link.header_bytes + bytes) / p_.link.bytes_per_s : 0;
    }
    std::vector<int> last = p_.inputs;
    for (int u = 0; u < units(); ++u) {
      if (edge_unit(u)) last = p_.units[static_cast<std::size_t>(u)].outputs;
    }
    for (const int t : last) bytes += has_wire(t) ? wire_bytes(t, chosen) : static_cast<double>(stored(t, chosen));
    return bytes / p_.link.bytes_per_s;
  }
  double wire_bytes(int t, const Bits& chosen) const {
    for (const auto& o : p_.tensors[static_cast<std::size_t>(t)].wire) {
      if (o.bits == bits_of('b', t, chosen)) return static_cast<double>(o.bytes);
    }
    return 0;
  }

  Numbers numbers(const Bits& chosen) const {
    Numbers n;
    for (int u = 0; u < units(); ++u) {
      const ProblemUnit& unit = p_.units[static_cast<std::size_t>(u)];
      if (!edge_unit(u)) {
        n.latency_s += *unit.cloud_s;
        continue;
      }
      const int w = bits_of('w', u, chosen);
      for (const auto& o : unit.weight) {
        if (o.bits != w) continue;
        n.weights += o.bytes;
        n.distortion += o.distortion;
      }
      int column = 0;
      for (const int t : unit.inputs) column = std::max(column, bits_of('a', t, chosen));
      if (unit.inputs.empty()) column = unit.edge_s.at(w).begin()->first;
      n.latency_s += unit.edge_s.at(w).at(column);
    }
    for (const Slot& s : slots_) {
      const ProblemTensor& t = p_.tensors[static_cast<std::size_t>(s.position)];
      if (s.kind == 'a') {
        for (const auto& o : t.activation)
          n.distortion += o.bits == bits_of('a', s.position, chosen) ? o.distortion : 0;
      } else if (s.kind == 'b') {
        for (const auto& o : t.wire) n.distortion += o.bits == bits_of('b', s.position, chosen) ? o.distortion : 0;
      }
    }
    n.latency_s += link_seconds(chosen);
    bool cloud_result = false;
    for (const int t : p_.outputs) cloud_result = cloud_result || !edge_tensor(t);
    if (p_.result_at == ResultAt::kEdge && cloud_result) {
      n.latency_s += p_.link.result_bytes / p_.link.download_bytes_per_s;
    }
    n.peak = peak(chosen);
    return n;
  }

  static void lower(double& least, double value) {
    if (least < 0 || value < least) least = value;
  }

  void weigh(const Bits& chosen) {
    const Numbers n = numbers(chosen);
    lower(result_.least_weight_bytes, static_cast<double>(n.weights));
    lower(result_.least_activation_bytes, static_cast<double>(n.peak));
    lower(result_.least_memory_bytes, static_cast<double>(n.weights + n.peak));
    lower(result_.least_distortion, n.distortion);
    const Limits& l = p_.limits;
    if (l.weight_bytes && n.weights > *l.weight_bytes) return;
    if (l.activation_bytes && n.peak > *l.activation_bytes) return;
    if (l.edge_memory_bytes && n.weights + n.peak > *l.edge_memory_bytes) return;
    if (l.distortion && n.distortion > *l.distortion * (1 + 1e-12)) return;
    ++result_.plans;
    answers_.push_back({n, set_, chosen});
  }

  static std::vector<int> members(unsigned set) {
    std::vector<int> list;
    for (int u = 0; u < 32; ++u) {
      if ((set >> u & 1U) != 0) list.push_back(u);
    }
    return list;
  }

  void pick() {
    result_.feasible = !answers_.empty();
    if (!result_.feasible) return;
    double least = answers_.front().numbers.latency_s;
    for (const Answer& a : answers_) least = std::min(least, a.numbers.latency_s);
    const Answer* best = nullptr;
    for (const Answer& a : answers_) {
      if (a.numbers.latency_s > least * (1 + 1e-12)) continue;
      if (best == nullptr || before(a, *best)) best = &a;
    }
    result_.least_s = least;
    result_.latency_s = best->numbers.latency_s;
    set_ = best->set;
    slots_ = slots();
    result_.decision.on_edge.assign(p_.units.size(), false);
    for (const int u : members(set_)) result_.decision.on_edge[static_cast<std::size_t>(u)] = true;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const Slot& s = slots_[i];
      if (s.kind == 'w' && best->bits[i] > 0) result_.decision.weight_bits[s.position] = best->bits[i];
      if (s.kind == 'a') result_.decision.activation_bits[s.position] = best->bits[i];
      if (s.kind == 'b') result_.decision.wire_bits[s.position] = best->bits[i];
    }
  }
  static bool before(const Answer& a, const Answer& b) {
    const auto ma = members(a.set);
    const auto mb = members(b.set);
    if (ma.size() != mb.size()) return ma.size() < mb.size();
    if (ma != mb) return ma < mb;
    return a.bits < b.bits;
  }

  const Problem& p_;
  Pricing pricing_;
  std::vector<int> order_;
  unsigned set_ = 0;
  std::vector<Slot> slots_;
  std::vector<Answer> answers_;
  BruteForce result_;
};

}  // namespace

BruteForce brute_force(const Problem& problem, Pricing pricing) {
  return Brute(problem, pricing).run();
}

}  // namespace cleave::search::testing
