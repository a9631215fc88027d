#include "search/exact_menus.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search::exact {

namespace {

void mark_efficient(std::vector<Offer>& menu) {
  const auto no_worse = [](const Offer& a, const Offer& b) {
    return a.seconds <= b.seconds && a.distortion <= b.distortion && a.weight_bytes <= b.weight_bytes &&
           a.held_bytes <= b.held_bytes;
  };
  for (Offer& offer : menu) {
    offer.efficient = std::none_of(menu.begin(), menu.end(), [&](const Offer& other) {
      return no_worse(other, offer) && (!no_worse(offer, other) || other.option < offer.option);
    });
  }
}

}  // namespace

std::int64_t stored_bytes(const ProblemTensor& tensor, int bits) {
  return (tensor.elements * bits + 7) / 8;
}

double counted(Goal goal, double latency_s, double distortion) {
  if (goal == Goal::kLatency) return latency_s;
  return goal == Goal::kDistortion ? distortion : 0;
}

int Menus::weights(int unit, int widest) {
  const auto known = weights_.find({unit, widest});
  if (known != weights_.end()) return known->second;
  const ProblemUnit& u = item(problem_.units, unit);
  Menu menu;
  for (std::size_t o = 0; o < u.weight.size(); ++o) {
    const WeightOption& weight = u.weight[o];
    const auto& row = u.edge_s.at(weight.bits);
    const double latency_s = u.inputs.empty() ? row.begin()->second : row.at(widest);
    const double seconds =
        goal_ == Goal::kWeightBytes ? static_cast<double>(weight.bytes) : counted(goal_, latency_s, weight.distortion);
    menu.offers.push_back({seconds, weight.distortion, weight.bytes, 0, static_cast<int>(o)});
  }
  return weights_[{unit, widest}] = add(std::move(menu));
}

int Menus::wire(int tensor, bool charged, bool stores) {
  const auto known = wires_.find({tensor, charged, stores});
  if (known != wires_.end()) return known->second;
  const ProblemTensor& t = item(problem_.tensors, tensor);
  Menu menu{{}, tensor};
  for (std::size_t o = 0; o < t.wire.size(); ++o) {
    const WireOption& wire = t.wire[o];
    const double latency_s = charged ? static_cast<double>(wire.bytes) / problem_.link.bytes_per_s : 0;
    const std::int64_t held = stores && track_memory_ ? stored_bytes(t, wire.bits) : 0;
    menu.offers.push_back({counted(goal_, latency_s, wire.distortion), wire.distortion, 0, held, static_cast<int>(o)});
  }
  return wires_[{tensor, charged, stores}] = add(std::move(menu));
}

int Menus::add(Menu menu) {
  mark_efficient(menu.offers);
  menus_.push_back(std::move(menu));
  return static_cast<int>(menus_.size()) - 1;
}

std::int64_t Menus::least_held(int menu) const {
  if (menu < 0) return 0;
  std::int64_t least = item(menus_, menu).offers.front().held_bytes;
  for (const Offer& offer : item(menus_, menu).offers) least = std::min(least, offer.held_bytes);
  return least;
}

}  // namespace cleave::search::exact
