#pragma once

#include "search/solver.h"

namespace cleave::search {

/// A latency that no plan can beat, limits left aside.
double lower_bound_s(const Problem& problem, Pricing pricing);

}  // namespace cleave::search
