#pragma once

#include <string>

#include "search/plan.h"

namespace cleave::cli {

/// A plan for people: the cut, what crosses, bits and time per edge unit, and the alternatives beside it.
std::string plan_table(const search::Plan& plan);

/// Why there is no plan, with the number that would fix it.
std::string infeasible_text(const search::Plan& plan);

}  // namespace cleave::cli
