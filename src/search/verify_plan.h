#pragma once

#include <string>
#include <vector>

#include "search/solver.h"

namespace cleave::search {

/// The judge: recomputes everything from the problem's statement and lists every rule a decision breaks (empty: a
/// valid plan). Shares no code with any solver.
struct Judgement {
  std::vector<std::string> violations;
  Evaluation evaluation;
};
Judgement verify_plan(const Problem& problem, const Decision& decision, Pricing pricing = Pricing::kExact);

}  // namespace cleave::search
