#include "search/build_problem.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/parallel.h"
#include "core/text.h"
#include "cost/models.h"
#include "cost/unit_work.h"
#include "graph/cut.h"
#include "quant/bits.h"
#include "quant/distortion.h"
#include "quant/packing.h"

namespace cleave::search {

namespace {

using graph::Graph;
using graph::TensorId;
using graph::Unit;
using quant::Bits;

constexpr int kFloatBits = 32;

std::vector<int> sorted_bits(const std::vector<int>& bits) {
  const std::set<int> distinct(bits.begin(), bits.end());
  return {distinct.begin(), distinct.end()};
}

/// Floats (16 or 32 bits) as they are, codes as the boundary codec packs them.
std::int64_t sent_bytes(std::int64_t elements, int bits) {
  return bits > 8 ? elements * bits / 8 : quant::wire_bytes(elements, Bits{bits});
}

class Builder {
 public:
  Builder(const Graph& graph, const quant::CalibrationTable& table, const Scenario& scenario)
      : graph_(graph), table_(table), scenario_(scenario) {}

  Problem build() {
    table_.require_made_from(graph_.fingerprint());
    add_tensors();
    for (const Unit& unit : graph_.units()) add_unit(unit);
    add_outputs();
    measure();
    price();
    if (scenario_.pinned_cut) pin(*scenario_.pinned_cut);
    problem_.result_at = scenario_.result_at;
    problem_.limits = scenario_.limits;
    if (!problem_.limits.edge_memory_bytes) problem_.limits.edge_memory_bytes = scenario_.edge.memory_bytes;
    problem_.finish();
    return std::move(problem_);
  }

 private:
  void add_tensors() {
    for (const TensorId id : graph_.inputs()) problem_.inputs.push_back(add_tensor(id, true));
    for (const Unit& unit : graph_.units()) {
      for (const TensorId id : unit.outputs) add_tensor(id, false);
    }
  }

  bool is_float(TensorId id) const { return graph_.tensor(id).dtype == DType::kFloat32; }

  /// Its bit-widths, distortion still 0. A tensor that is no float32 stays as it is and is never sent.
  int add_tensor(TensorId id, bool is_input) {
    ProblemTensor tensor;
    tensor.name = graph_.tensor(id).name;
    tensor.elements = element_count(graph_.tensor(id).shape);
    if (!is_float(id)) {
      tensor.activation.push_back({kFloatBits, 0});
    } else {
      for (const int bits : is_input ? input_bits() : sorted_bits(scenario_.activation_bits)) {
        tensor.activation.push_back({bits, 0});
      }
      for (const int bits : is_input ? input_wire_bits() : sorted_bits(scenario_.wire_bits)) {
        tensor.wire.push_back({bits, sent_bytes(tensor.elements, bits), 0});
      }
    }
    const int position = static_cast<int>(problem_.tensors.size());
    positions_[id] = position;
    problem_.tensors.push_back(std::move(tensor));
    return position;
  }

  std::vector<int> input_bits() const { return {scenario_.input_bits}; }
  std::vector<int> input_wire_bits() const {
    std::set<int> bits = {scenario_.input_bits};
    const auto& wire = scenario_.wire_bits;
    if (std::find(wire.begin(), wire.end(), kFloatBits) != wire.end()) bits.insert(kFloatBits);
    return {bits.begin(), bits.end()};
  }

  void add_unit(const Unit& unit) {
    ProblemUnit row;
    row.name = unit.name;
    for (const TensorId id : unit.inputs) row.inputs.push_back(positions_.at(id));
    for (const TensorId id : unit.outputs) row.outputs.push_back(positions_.at(id));
    if (unit.weight_elements == 0) {
      row.weight.push_back({0, 0, 0});
    } else {
      for (const int bits : sorted_bits(scenario_.weight_bits)) {
        row.weight.push_back({bits, quant::packed_bytes(unit.weight_elements, Bits{bits}), 0});
      }
    }
    problem_.units.push_back(std::move(row));
  }

  /// Constants among the network outputs are nobody's work.
  void add_outputs() {
    for (const TensorId id : graph_.outputs()) {
      const auto found = positions_.find(id);
      if (found == positions_.end()) continue;
      problem_.outputs.push_back(found->second);
      const auto bytes = std::max<std::size_t>(dtype_bytes(graph_.tensor(id).dtype), 1);
      problem_.link.result_bytes +=
          static_cast<double>(bytes) * static_cast<double>(element_count(graph_.tensor(id).shape));
    }
  }

  /// Every distortion, one tensor or unit per task; each task writes to its own row.
  void measure() {
    if (scenario_.damage) {
      take_damages(*scenario_.damage);
      return;
    }
    const auto tensors = static_cast<std::int64_t>(problem_.tensors.size());
    const auto units = static_cast<std::int64_t>(problem_.units.size());
    parallel_for(tensors + units, 0, [this, units](std::int64_t i) {
      if (i < units) {
        measure_weights(static_cast<std::size_t>(i));
      } else {
        measure_tensor(static_cast<std::size_t>(i - units));
      }
    });
  }

  /// Distortions as they were measured at the outputs.
  void take_damages(const MeasuredDamage& damage) {
    for (ProblemUnit& unit : problem_.units) {
      for (WeightOption& option : unit.weight) {
        if (option.bits != 0) option.distortion = damage_of(damage.weights, unit.name, option.bits);
      }
    }
    for (ProblemTensor& tensor : problem_.tensors) {
      for (ActivationOption& option : tensor.activation) {
        option.distortion = damage_of(damage.activations, tensor.name, option.bits);
      }
      for (WireOption& option : tensor.wire) {
        option.distortion = damage_of(damage.activations, tensor.name, option.bits);
      }
    }
  }

  double damage_of(const std::map<std::string, std::map<int, double>>& damages, const std::string& name,
                   int bits) const {
    if (bits >= scenario_.float_bits) return 0;
    const auto row = damages.find(name);
    const auto found = row == damages.end() ? std::map<int, double>::const_iterator{} : row->second.find(bits);
    if (row != damages.end() && found != row->second.end()) return found->second;
    throw Error(ErrorKind::kInvalidInput,
                "the sensitivities do not tell what " + std::to_string(bits) + " bits do to '" + name + "'",
                "Run cleave sensitivity with these bits, or search among those it has.");
  }

  void measure_weights(std::size_t u) {
    const Unit& unit = graph_.units()[u];
    const Tensor* weights = unit.weight == TensorId::kNone ? nullptr : graph_.constant(unit.weight);
    ProblemUnit& row = problem_.units[u];
    if (weights == nullptr || row.weight.front().bits == 0 || weights->dtype() != DType::kFloat32) return;
    std::vector<Bits> bits;
    for (const WeightOption& option : row.weight) {
      if (option.bits < scenario_.float_bits) bits.push_back(Bits{option.bits});
    }
    if (bits.empty()) return;
    const auto rows = quant::weight_distortion(*weights, unit.weight_axis, bits, scenario_.clip);
    for (std::size_t o = 0; o < rows.size(); ++o) row.weight[o].distortion = rows[o].distortion;
  }

  void measure_tensor(std::size_t t) {
    ProblemTensor& tensor = problem_.tensors[t];
    std::set<int> quantized;
    for (const ActivationOption& option : tensor.activation) quantized.insert(option.bits);
    for (const WireOption& option : tensor.wire) quantized.insert(option.bits);
    quantized.erase(quantized.lower_bound(scenario_.float_bits), quantized.end());
    if (quantized.empty()) return;
    const quant::ActivationValues seen = table_.tensor(tensor.name).activation_values();
    if (seen.values.empty()) return;
    std::vector<Bits> bits;
    for (const int count : quantized) bits.push_back(Bits{count});
    std::map<int, double> distortion;
    for (const auto& row : quant::activation_distortion(seen, bits, scenario_.clip)) {
      distortion[row.bits.count] = row.distortion;
    }
    for (ActivationOption& option : tensor.activation) option.distortion = distortion[option.bits];
    for (WireOption& option : tensor.wire) option.distortion = distortion[option.bits];
  }

  void price() {
    for (std::size_t u = 0; u < problem_.units.size(); ++u) price_unit(u);
    problem_.link.bytes_per_s = scenario_.link.upload_bytes_per_s;
    problem_.link.download_bytes_per_s = scenario_.link.download_bytes_per_s;
    problem_.link.rtt_s = scenario_.link.rtt_s;
    problem_.link.header_bytes = scenario_.link.header_bytes;
  }

  void price_unit(std::size_t u) {
    ProblemUnit& row = problem_.units[u];
    const cost::UnitWork work = cost::describe(graph_, static_cast<graph::UnitId>(u));
    const Bits cloud = scenario_.cloud.float_bits;
    row.cloud_s = cost::unit_seconds(scenario_.cloud, row.name, work, cloud, cloud);
    for (const WeightOption& weight : row.weight) {
      for (const int activation : widest_bits(row)) {
        // Without weights both operands of whatever it computes are activations.
        const Bits weight_bits{weight.bits == 0 ? activation : weight.bits};
        const auto seconds = cost::unit_seconds(scenario_.edge, row.name, work, weight_bits, Bits{activation});
        if (seconds) row.edge_s[weight.bits][activation] = *seconds;
      }
    }
  }

  /// Every width that can be the widest over the inputs.
  std::set<int> widest_bits(const ProblemUnit& unit) const {
    std::set<int> all;
    int least = 0;
    for (const int t : unit.inputs) {
      const auto& options = problem_.tensors[static_cast<std::size_t>(t)].activation;
      least = std::max(least, options.front().bits);
      for (const ActivationOption& option : options) all.insert(option.bits);
    }
    if (unit.inputs.empty()) all.insert(sorted_bits(scenario_.activation_bits).front());
    return {all.lower_bound(least), all.end()};
  }

  void pin(const std::vector<std::string>& tensors) {
    const graph::Cut cut = graph::cut_at(graph_, tensors);
    check_pinned(cut, tensors);
    for (std::size_t u = 0; u < problem_.units.size(); ++u) {
      ProblemUnit& unit = problem_.units[u];
      if (cut.on_edge[u]) {
        unit.cloud_s.reset();
      } else {
        unit.edge_s.clear();
      }
    }
  }

  /// What the cut sends must be what was named; network outputs may be named beside.
  void check_pinned(const graph::Cut& cut, const std::vector<std::string>& tensors) const {
    std::set<std::string> crossing;
    for (const TensorId id : graph::crossing_tensors(graph_, cut, scenario_.result_at == ResultAt::kCloud)) {
      crossing.insert(graph_.tensor(id).name);
    }
    const std::set<std::string> named(tensors.begin(), tensors.end());
    for (const std::string& name : crossing) {
      if (named.contains(name)) continue;
      const std::vector<std::string> all(crossing.begin(), crossing.end());
      throw Error(ErrorKind::kInvalidInput, "cut: '" + name + "' crosses too and is not named",
                  "The whole cut: --cut " + join_text(all, ",") + ".");
    }
    for (const std::string& name : named) {
      const auto id = graph_.find(name);
      if (crossing.contains(name) || (id && graph_.is_output(*id))) continue;
      throw Error(ErrorKind::kInvalidInput, "cut: '" + name + "' does not cross: all its uses are on the edge",
                  "Leave it out.");
    }
  }

  const Graph& graph_;
  const quant::CalibrationTable& table_;
  const Scenario& scenario_;
  Problem problem_;
  std::map<TensorId, int> positions_;
};

}  // namespace

Problem build_problem(const Graph& graph, const quant::CalibrationTable& table, const Scenario& scenario) {
  return Builder(graph, table, scenario).build();
}

std::optional<Problem> full_precision_problem(const Graph& graph, const quant::CalibrationTable& table,
                                              const Scenario& scenario) {
  const Bits width = scenario.edge.float_bits;
  if (!cost::prices_width(scenario.edge, width)) return std::nullopt;
  Scenario plain = scenario;
  plain.weight_bits = plain.activation_bits = plain.wire_bits = {width.count};
  plain.input_bits = plain.float_bits = width.count;
  plain.damage.reset();
  plain.limits.distortion.reset();
  plain.pinned_cut.reset();
  Problem problem = build_problem(graph, table, plain);
  for (const int t : problem.inputs) {
    ProblemTensor& input = problem.tensors[static_cast<std::size_t>(t)];
    if (!input.wire.empty()) input.wire = {{scenario.input_bits, sent_bytes(input.elements, scenario.input_bits), 0}};
  }
  return problem;
}

}  // namespace cleave::search
