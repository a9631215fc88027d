#include "search/exact_stages.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search::exact {

std::vector<Stage> plan_stages(const Problem& problem, Pricing pricing) {
  std::vector<Stage> plan;
  if (pricing == Pricing::kSingleTensor) plan.push_back({Stage::kStart, -1, -1, false});
  for (const int t : problem.inputs) plan.push_back({Stage::kTensor, t, -1, false});
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    const int unit = static_cast<int>(u);
    const std::vector<int>& outputs = problem.units[u].outputs;
    plan.push_back({Stage::kUnit, unit, unit, outputs.empty()});
    for (const int t : outputs) plan.push_back({Stage::kTensor, t, unit, t == outputs.back()});
  }
  return plan;
}

Layout layout_after(Layout layout, const Stage& stage, const Problem& problem, bool track_memory) {
  if (stage.kind == Stage::kUnit) std::erase(layout.units, stage.subject);
  if (stage.kind == Stage::kTensor) {
    const auto& consumers = item(problem.tensors, stage.subject).consumers;
    for (const int u : consumers) {
      if (std::find(layout.units.begin(), layout.units.end(), u) == layout.units.end()) layout.units.push_back(u);
    }
    // Promises to one consumer are kept at once; bits matter to memory alone.
    if (consumers.size() > (track_memory ? 0U : 1U)) layout.tensors.push_back(stage.subject);
  }
  if (stage.closes_unit) {
    std::erase_if(layout.tensors, [&](int t) { return item(problem.tensors, t).consumers.back() <= stage.unit; });
  }
  return layout;
}

}  // namespace cleave::search::exact
