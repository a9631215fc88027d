#include "search/verify_plan.h"

#include <algorithm>
#include <set>

#include "core/text.h"

// The judge. Everything below is written from the problem's statement alone: no header of a solver is included and
// none of their helpers is used, so that an error of theirs cannot hide here.

namespace cleave::search {

namespace {

template <typename T>
const T& element(const std::vector<T>& list, int position) {
  return list[static_cast<std::size_t>(position)];
}

template <typename Option>
const Option* option_at(const std::vector<Option>& options, int bits) {
  for (const Option& option : options) {
    if (option.bits == bits) return &option;
  }
  return nullptr;
}

class Judge {
 public:
  Judge(const Problem& problem, const Decision& decision) : problem_(problem), decision_(decision) {}

  Judgement judge(Pricing pricing) {
    if (decision_.on_edge.size() != problem_.units.size()) {
      complain("the decision has " + std::to_string(decision_.on_edge.size()) + " units, the problem " +
               std::to_string(problem_.units.size()));
      return result_;
    }
    note_uses();
    check_sides();
    check_weights();
    check_activations();
    check_wires();
    if (!result_.violations.empty()) return result_;
    price(pricing);
    check_limits();
    return result_;
  }

 private:
  void complain(const std::string& what) { result_.violations.push_back(what); }

  bool unit_on_edge(int unit) const { return decision_.on_edge[static_cast<std::size_t>(unit)]; }
  int unit_count() const { return static_cast<int>(problem_.units.size()); }
  int tensor_count() const { return static_cast<int>(problem_.tensors.size()); }

  bool on_edge(int tensor) const {
    const int producer = element(problem_.tensors, tensor).producer;
    return producer < 0 || unit_on_edge(producer);
  }
  /// Who reads what, and what is live when: from the units' inputs alone.
  void note_uses() {
    last_edge_use_.assign(problem_.tensors.size(), -1);
    cloud_use_.assign(problem_.tensors.size(), false);
    for (int u = 0; u < unit_count(); ++u) {
      for (const int t : element(problem_.units, u).inputs) {
        if (unit_on_edge(u)) {
          last_edge_use_[static_cast<std::size_t>(t)] = u;
        } else {
          cloud_use_[static_cast<std::size_t>(t)] = true;
        }
      }
    }
    is_output_.assign(problem_.tensors.size(), false);
    for (const int t : problem_.outputs) is_output_[static_cast<std::size_t>(t)] = true;
  }
  bool is_output(int tensor) const { return is_output_[static_cast<std::size_t>(tensor)]; }
  bool must_be_decided(int tensor) const {
    if (!on_edge(tensor)) return false;
    return element(last_edge_use_, tensor) >= 0 ||
           (is_output(tensor) && element(problem_.tensors, tensor).producer >= 0);
  }
  bool crosses(int tensor) const {
    if (!on_edge(tensor)) return false;
    return cloud_use_[static_cast<std::size_t>(tensor)] ||
           (is_output(tensor) && problem_.result_at == ResultAt::kCloud);
  }

  void check_sides() {
    for (int u = 0; u < unit_count(); ++u) {
      const ProblemUnit& unit = element(problem_.units, u);
      if (!unit_on_edge(u)) {
        if (!unit.cloud_s) complain("unit '" + unit.name + "' cannot run on the cloud");
        continue;
      }
      if (unit.edge_s.empty()) complain("unit '" + unit.name + "' cannot run on the edge");
      for (const int t : unit.inputs) {
        if (!on_edge(t))
          complain("edge unit '" + unit.name + "' needs '" + element(problem_.tensors, t).name + "' from the cloud");
      }
    }
  }

  /// One decision: whether it is asked for, made, and among the choices.
  template <typename Option>
  void check_choice(const std::string& what, bool needed, const std::map<int, int>& made, int position,
                    const std::vector<Option>& options) {
    const auto found = made.find(position);
    if (needed != (found != made.end())) {
      complain(what + (needed ? " is not decided" : " is decided and must not be"));
    } else if (needed && option_at(options, found->second) == nullptr) {
      complain(what + ": " + std::to_string(found->second) + " bits are not among the choices");
    }
  }
  void check_positions(const std::map<int, int>& made, int count, const std::string& what) {
    for (const auto& [position, bits] : made) {
      if (position < 0 || position >= count) complain(what + ": there is no number " + std::to_string(position));
    }
  }

  void check_weights() {
    check_positions(decision_.weight_bits, unit_count(), "weight bits");
    for (int u = 0; u < unit_count(); ++u) {
      const ProblemUnit& unit = element(problem_.units, u);
      const bool weightless = unit.weight.size() == 1 && unit.weight.front().bits == 0;
      check_choice("weight bits of '" + unit.name + "'", unit_on_edge(u) && !weightless, decision_.weight_bits, u,
                   unit.weight);
    }
  }
  void check_activations() {
    check_positions(decision_.activation_bits, tensor_count(), "activation bits");
    for (int t = 0; t < tensor_count(); ++t) {
      const ProblemTensor& tensor = element(problem_.tensors, t);
      check_choice("activation bits of '" + tensor.name + "'", must_be_decided(t), decision_.activation_bits, t,
                   tensor.activation);
    }
  }
  void check_wires() {
    check_positions(decision_.wire_bits, tensor_count(), "wire bits");
    for (int t = 0; t < tensor_count(); ++t) {
      const ProblemTensor& tensor = element(problem_.tensors, t);
      check_choice("wire bits of '" + tensor.name + "'", crosses(t), decision_.wire_bits, t, tensor.wire);
    }
  }

  int weight_bits(int unit) const {
    const auto found = decision_.weight_bits.find(unit);
    return found == decision_.weight_bits.end() ? 0 : found->second;
  }

  double edge_seconds(int u) {
    const ProblemUnit& unit = element(problem_.units, u);
    const auto row = unit.edge_s.find(weight_bits(u));
    if (row == unit.edge_s.end() || row->second.empty()) {
      complain("unit '" + unit.name + "' has no edge seconds at its weight bits");
      return 0;
    }
    if (unit.inputs.empty()) return row->second.begin()->second;
    int widest = 0;
    for (const int t : unit.inputs) widest = std::max(widest, decision_.activation_bits.at(t));
    const auto cell = row->second.find(widest);
    if (cell != row->second.end()) return cell->second;
    complain("unit '" + unit.name + "' has no edge seconds at " + std::to_string(widest) + " activation bits");
    return 0;
  }

  std::int64_t stored_bytes(int tensor) const {
    const auto activation = decision_.activation_bits.find(tensor);
    const auto wire = decision_.wire_bits.find(tensor);
    std::int64_t bits = 0;
    if (activation != decision_.activation_bits.end()) {
      bits = activation->second;
    } else if (wire != decision_.wire_bits.end()) {
      bits = wire->second;
    }
    return (element(problem_.tensors, tensor).elements * bits + 7) / 8;
  }

  std::int64_t live_bytes(int unit) const {
    const ProblemUnit& now = element(problem_.units, unit);
    std::set<int> live(now.inputs.begin(), now.inputs.end());
    live.insert(now.outputs.begin(), now.outputs.end());
    for (int t = 0; t < tensor_count(); ++t) {
      const int producer = element(problem_.tensors, t).producer;
      if (!on_edge(t) || producer >= unit) continue;
      if (element(last_edge_use_, t) > unit || crosses(t) || (is_output(t) && producer >= 0)) live.insert(t);
    }
    std::int64_t bytes = 0;
    for (const int t : live) bytes += stored_bytes(t);
    return bytes;
  }

  double crossing_seconds() {
    Evaluation& e = result_.evaluation;
    if (decision_.wire_bits.empty()) return 0;
    for (const auto& [tensor, bits] : decision_.wire_bits) {
      e.wire_bytes += option_at(element(problem_.tensors, tensor).wire, bits)->bytes;
    }
    return problem_.link.rtt_s +
           (problem_.link.header_bytes + static_cast<double>(e.wire_bytes)) / problem_.link.bytes_per_s;
  }

  double single_tensor_seconds() {
    std::vector<int> sent = problem_.inputs;
    for (int u = 0; u < unit_count(); ++u) {
      if (unit_on_edge(u)) sent = element(problem_.units, u).outputs;
    }
    Evaluation& e = result_.evaluation;
    for (const int t : sent) {
      const auto wire = decision_.wire_bits.find(t);
      const bool priced = wire != decision_.wire_bits.end();
      e.wire_bytes += priced ? option_at(element(problem_.tensors, t).wire, wire->second)->bytes : stored_bytes(t);
    }
    return static_cast<double>(e.wire_bytes) / problem_.link.bytes_per_s;
  }

  double download_seconds() const {
    if (problem_.result_at != ResultAt::kEdge) return 0;
    for (const int t : problem_.outputs) {
      if (!on_edge(t)) return problem_.link.result_bytes / problem_.link.download_bytes_per_s;
    }
    return 0;
  }

  void price(Pricing pricing) {
    Evaluation& e = result_.evaluation;
    for (int u = 0; u < unit_count(); ++u) {
      const ProblemUnit& unit = element(problem_.units, u);
      if (!unit_on_edge(u)) {
        e.cloud_s += *unit.cloud_s;
        continue;
      }
      const WeightOption* weight = option_at(unit.weight, weight_bits(u));
      e.edge_s += edge_seconds(u);
      e.weight_bytes += weight->bytes;
      e.distortion += weight->distortion;
      e.activation_bytes = std::max(e.activation_bytes, live_bytes(u));
    }
    for (const auto& [t, bits] : decision_.activation_bits) {
      e.distortion += option_at(element(problem_.tensors, t).activation, bits)->distortion;
    }
    for (const auto& [t, bits] : decision_.wire_bits) {
      e.distortion += option_at(element(problem_.tensors, t).wire, bits)->distortion;
    }
    e.link_s = (pricing == Pricing::kExact ? crossing_seconds() : single_tensor_seconds()) + download_seconds();
    e.latency_s = e.edge_s + e.link_s + e.cloud_s;
  }

  void check_limit(std::int64_t used, const std::optional<std::int64_t>& allowed, const std::string& name) {
    if (allowed && used > *allowed) complain(name + ": " + grouped(used) + " used, " + grouped(*allowed) + " allowed");
  }
  void check_limits() {
    const Evaluation& e = result_.evaluation;
    const Limits& limits = problem_.limits;
    check_limit(e.weight_bytes, limits.weight_bytes, "weight_bytes");
    check_limit(e.activation_bytes, limits.activation_bytes, "activation_bytes");
    check_limit(e.weight_bytes + e.activation_bytes, limits.edge_memory_bytes, "edge_memory_bytes");
    if (limits.distortion && e.distortion > *limits.distortion * (1 + 1e-12)) {
      complain("distortion: " + std::to_string(e.distortion) + " is more than " + std::to_string(*limits.distortion));
    }
  }

  const Problem& problem_;
  const Decision& decision_;
  std::vector<int> last_edge_use_;  ///< per tensor, the last edge unit that reads it; -1: none
  std::vector<bool> cloud_use_;     ///< per tensor: a cloud unit reads it
  std::vector<bool> is_output_;
  Judgement result_;
};

}  // namespace

Judgement verify_plan(const Problem& problem, const Decision& decision, Pricing pricing) {
  return Judge(problem, decision).judge(pricing);
}

}  // namespace cleave::search
