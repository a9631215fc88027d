#include "search/bit_state.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search {

BitState::BitState(const Problem& problem, const EdgePart& part, Choice choice)
    : problem_(problem), part_(part), choice_(std::move(choice)), live_in_(problem.tensors.size()) {
  for (std::size_t k = 0; k < part.live.size(); ++k) {
    for (const int t : part.live[k]) item(live_in_, t).push_back(k);
  }
  recount();
}

std::vector<int>& BitState::options_of(Kind kind) {
  if (kind == Kind::kWeight) return choice_.weight;
  return kind == Kind::kActivation ? choice_.activation : choice_.wire;
}

int BitState::option(Kind kind, int position) const {
  if (kind == Kind::kWeight) return item(choice_.weight, position);
  return kind == Kind::kActivation ? item(choice_.activation, position) : item(choice_.wire, position);
}

void BitState::recount() {
  const Evaluation e = evaluate(problem_, part_, choice_);
  sums_ = {e.latency_s, e.weight_bytes, e.activation_bytes, e.distortion};
  unit_s_.assign(problem_.units.size(), 0);
  for (const int u : part_.units) item(unit_s_, u) = edge_unit_seconds(problem_, u, choice_);
  live_bytes_.assign(part_.units.size(), 0);
  for (std::size_t k = 0; k < part_.live.size(); ++k) {
    for (const int t : part_.live[k]) live_bytes_[k] += live_tensor_bytes(problem_, t, choice_);
  }
}

void BitState::add_live(int tensor, std::int64_t bytes) {
  for (const std::size_t k : item(live_in_, tensor)) live_bytes_[k] += bytes;
}

void BitState::apply(const Change& change) {
  int& chosen = item(options_of(change.kind), change.position);
  const int before = chosen;
  if (change.kind == Kind::kWeight) {
    const auto& options = item(problem_.units, change.position).weight;
    sums_.weight_bytes += item(options, change.option).bytes - item(options, before).bytes;
    sums_.distortion += item(options, change.option).distortion - item(options, before).distortion;
    chosen = change.option;
    const double seconds = edge_unit_seconds(problem_, change.position, choice_);
    sums_.latency_s += seconds - item(unit_s_, change.position);
    item(unit_s_, change.position) = seconds;
    return;
  }
  const ProblemTensor& tensor = item(problem_.tensors, change.position);
  const std::int64_t bytes_before = live_tensor_bytes(problem_, change.position, choice_);
  chosen = change.option;
  const std::int64_t more = live_tensor_bytes(problem_, change.position, choice_) - bytes_before;
  add_live(change.position, more);
  double charged = 0;
  if (change.kind == Kind::kWire) {
    const WireOption& now = item(tensor.wire, change.option);
    sums_.distortion += now.distortion - item(tensor.wire, before).distortion;
    if (item(part_.wire_charged, change.position)) {
      charged = static_cast<double>(now.bytes - item(tensor.wire, before).bytes);
    }
  } else {
    sums_.distortion += item(tensor.activation, change.option).distortion - item(tensor.activation, before).distortion;
    if (item(part_.activation_charged, change.position)) charged = static_cast<double>(more);
    for (const int u : tensor.consumers) {
      if (!item(part_.on_edge, u)) continue;
      const double seconds = edge_unit_seconds(problem_, u, choice_);
      sums_.latency_s += seconds - item(unit_s_, u);
      item(unit_s_, u) = seconds;
    }
  }
  sums_.latency_s += charged / problem_.link.bytes_per_s;
}

BitState::Sums BitState::after(const Move& move) {
  const Sums before = sums_;
  Move back;
  for (const Change& change : move) {
    back.push_back({change.kind, change.position, option(change.kind, change.position)});
    apply(change);
  }
  Sums result = sums_;
  result.peak_bytes = live_bytes_.empty() ? 0 : *std::max_element(live_bytes_.begin(), live_bytes_.end());
  for (std::size_t i = back.size(); i-- > 0;) apply(back[i]);
  sums_ = before;
  return result;
}

void BitState::make(const Move& move) {
  for (const Change& change : move) item(options_of(change.kind), change.position) = change.option;
  recount();
}

}  // namespace cleave::search
