#include "search/problem.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"

namespace cleave::search {

namespace {

/// No sum of bytes may come near 64 bits.
constexpr double kMostBytes = 4e18;

[[noreturn]] void refuse(const std::string& place, const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorKind::kInvalidInput, place + ": " + what, hint);
}

void require_amount(double value, const std::string& place) {
  if (!std::isfinite(value)) refuse(place, "not a finite number");
  if (value < 0) refuse(place, "negative");
}

template <typename Option>
void check_bits(std::vector<Option>& options, const std::string& place) {
  std::sort(options.begin(), options.end(), [](const Option& a, const Option& b) { return a.bits < b.bits; });
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (i > 0 && options[i].bits == options[i - 1].bits) {
      refuse(place, std::to_string(options[i].bits) + " bits stand twice", "Bits are distinct within a list.");
    }
    require_amount(options[i].distortion, place + " at " + std::to_string(options[i].bits) + " bits: distortion");
  }
}

template <typename Option>
void check_positive_bits(const std::vector<Option>& options, const std::string& place) {
  for (const Option& option : options) {
    if (option.bits < 1 || option.bits > 64) refuse(place, "bits must be 1 to 64, not " + std::to_string(option.bits));
  }
}

void check_tensor(ProblemTensor& tensor) {
  const std::string place = "tensor '" + tensor.name + "'";
  if (tensor.elements < 0) refuse(place + ": elements", "negative");
  check_bits(tensor.activation, place + ": activation");
  check_bits(tensor.wire, place + ": wire");
  check_positive_bits(tensor.activation, place + ": activation");
  check_positive_bits(tensor.wire, place + ": wire");
  for (const WireOption& option : tensor.wire) {
    if (option.bytes < 0) refuse(place + ": wire", "negative bytes");
  }
}

void check_weights(ProblemUnit& unit, const std::string& place) {
  check_bits(unit.weight, place + ": weight");
  if (unit.weight.empty()) refuse(place + ": weight", "no choice", "A unit without weights has one choice {0, 0, 0}.");
  for (const WeightOption& option : unit.weight) {
    if (option.bytes < 0) refuse(place + ": weight", "negative bytes");
  }
  unit.has_weights = unit.weight.size() > 1 || unit.weight.front().bits != 0;
  if (unit.has_weights) {
    check_positive_bits(unit.weight, place + ": weight");
  } else if (unit.weight.front().bytes != 0 || unit.weight.front().distortion != 0) {
    refuse(place + ": weight", "0 bits stand for no weights: bytes and distortion must be 0");
  }
}

/// Every width that can be the widest over the unit's inputs; empty when an input may not be decided.
std::set<int> widest_bits(const Problem& problem, const ProblemUnit& unit) {
  std::set<int> all;
  int least = 0;
  for (const int t : unit.inputs) {
    const auto& options = problem.tensors[static_cast<std::size_t>(t)].activation;
    if (options.empty()) return {};
    least = std::max(least, options.front().bits);
    for (const ActivationOption& option : options) all.insert(option.bits);
  }
  return {all.lower_bound(least), all.end()};
}

void check_edge_seconds(const Problem& problem, const ProblemUnit& unit, const std::string& place) {
  for (const auto& [weight, row] : unit.edge_s) {
    for (const auto& [activation, seconds] : row) {
      require_amount(seconds, place + ": edge_s." + std::to_string(weight) + "." + std::to_string(activation));
    }
  }
  if (unit.edge_s.empty()) return;
  const std::set<int> widths = widest_bits(problem, unit);
  for (const WeightOption& option : unit.weight) {
    const auto row = unit.edge_s.find(option.bits);
    const bool any = row != unit.edge_s.end() && !row->second.empty();
    if (!any && (unit.inputs.empty() || !widths.empty())) {
      refuse(place + ": edge_s", "no row for " + std::to_string(option.bits) + " weight bits");
    }
    for (const int bits : widths) {
      if (row->second.contains(bits)) continue;
      refuse(place + ": edge_s." + std::to_string(option.bits),
             "no seconds for " + std::to_string(bits) + " activation bits, which its inputs may have");
    }
  }
}

void check_index(int t, std::size_t count, const std::string& place) {
  if (t < 0 || static_cast<std::size_t>(t) >= count) refuse(place, "unknown tensor");
}

void set_producer(Problem& problem, int t, int unit, std::vector<bool>& made, const std::string& place) {
  check_index(t, problem.tensors.size(), place);
  const auto i = static_cast<std::size_t>(t);
  if (made[i]) refuse(place, "tensor '" + problem.tensors[i].name + "' is made twice");
  made[i] = true;
  problem.tensors[i].producer = unit;
}

std::string place_of(const Problem& problem, std::size_t unit) {
  return "units[" + std::to_string(unit) + "] '" + problem.units[unit].name + "'";
}

void wire_unit(Problem& problem, std::size_t u, std::vector<bool>& made) {
  const std::string place = place_of(problem, u);
  for (const int t : problem.units[u].inputs) {
    check_index(t, problem.tensors.size(), place + ": inputs");
    ProblemTensor& tensor = problem.tensors[static_cast<std::size_t>(t)];
    if (!made[static_cast<std::size_t>(t)]) {
      refuse(place + ": inputs", "tensor '" + tensor.name + "' is not made yet",
             "Units stand in topological order; every tensor is made by one unit or is a network input.");
    }
    const bool again = !tensor.consumers.empty() && tensor.consumers.back() == static_cast<int>(u);
    if (!again) tensor.consumers.push_back(static_cast<int>(u));
  }
  for (const int t : problem.units[u].outputs) {
    set_producer(problem, t, static_cast<int>(u), made, place + ": outputs");
  }
}

void wire_network(Problem& problem) {
  for (ProblemTensor& tensor : problem.tensors) {
    tensor.producer = -1;
    tensor.consumers.clear();
    tensor.is_output = false;
  }
  std::vector<bool> made(problem.tensors.size(), false);
  for (const int t : problem.inputs) set_producer(problem, t, -1, made, "inputs");
  for (std::size_t u = 0; u < problem.units.size(); ++u) wire_unit(problem, u, made);
  for (std::size_t t = 0; t < made.size(); ++t) {
    if (!made[t]) refuse("tensor '" + problem.tensors[t].name + "'", "made by no unit and no network input");
  }
  for (const int t : problem.outputs) {
    check_index(t, problem.tensors.size(), "outputs");
    ProblemTensor& tensor = problem.tensors[static_cast<std::size_t>(t)];
    if (tensor.is_output) refuse("outputs", "tensor '" + tensor.name + "' stands twice");
    tensor.is_output = true;
  }
}

void check_link(const ProblemLink& link, ResultAt result_at) {
  require_amount(link.bytes_per_s, "link: bytes_per_s");
  require_amount(link.rtt_s, "link: rtt_s");
  require_amount(link.header_bytes, "link: header_bytes");
  require_amount(link.download_bytes_per_s, "link: download_bytes_per_s");
  require_amount(link.result_bytes, "link: result_bytes");
  if (link.bytes_per_s == 0) refuse("link: bytes_per_s", "must be above 0");
  if (link.download_bytes_per_s == 0 && result_at == ResultAt::kEdge) {
    refuse("link: download_bytes_per_s", "must be above 0 when the result goes to the edge");
  }
}

void check_limits(const Limits& limits) {
  const auto check = [](const auto& limit, const char* name) {
    if (limit) require_amount(static_cast<double>(*limit), std::string("limits: ") + name);
  };
  check(limits.edge_memory_bytes, "edge_memory_bytes");
  check(limits.weight_bytes, "weight_bytes");
  check(limits.activation_bytes, "activation_bytes");
  check(limits.distortion, "distortion");
}

void check_sizes(const Problem& problem) {
  double bytes = 0;
  for (const ProblemTensor& tensor : problem.tensors) {
    bytes += static_cast<double>(tensor.elements) * 64;  // sizes are counted in bits before they become bytes
    for (const WireOption& option : tensor.wire) bytes += static_cast<double>(option.bytes);
  }
  for (const ProblemUnit& unit : problem.units) {
    for (const WeightOption& option : unit.weight) bytes += static_cast<double>(option.bytes);
  }
  if (bytes > kMostBytes) refuse("problem", "its bytes do not fit in 62 bits");
}

void check_unit_names(const Problem& problem) {
  std::set<std::string> names;
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    if (!names.insert(problem.units[u].name).second) refuse(place_of(problem, u), "another unit has this name");
  }
}

}  // namespace

void Problem::finish() {
  for (ProblemTensor& tensor : tensors) check_tensor(tensor);
  check_unit_names(*this);
  wire_network(*this);
  for (std::size_t u = 0; u < units.size(); ++u) {
    const std::string place = place_of(*this, u);
    check_weights(units[u], place);
    check_edge_seconds(*this, units[u], place);
    if (units[u].cloud_s) require_amount(*units[u].cloud_s, place + ": cloud_s");
  }
  check_link(link, result_at);
  check_limits(limits);
  check_sizes(*this);
}

}  // namespace cleave::search
