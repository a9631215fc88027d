#pragma once

#include <span>

#include "quant/clip_methods.h"

namespace cleave::quant {

/// The choice of least `mse` among those of the methods that `auto` tries and `knows` allows; of equals the first in
/// the table. The first row must be allowed.
template <typename Knows, typename Choose>
auto least_mse(const Knows& knows, const Choose& choose) {
  auto best = choose(clip_methods().front().method);
  for (const ClipMethodRow& row : clip_methods().subspan(1)) {
    if (!row.tried_by_auto || !knows(row.method)) continue;
    auto candidate = choose(row.method);
    if (candidate.mse < best.mse) best = candidate;
  }
  return best;
}

}  // namespace cleave::quant
