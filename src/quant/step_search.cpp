#include "quant/step_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace cleave::quant {

namespace {

constexpr int kTrialSteps = 10;
constexpr std::size_t kDirectEvaluations = 8;
constexpr std::int32_t kEndlessLevels = 1 << 30;

constexpr double kEqualErrors = 1e-12;  ///< relative; directly evaluated sums differ by rounding only

StepSearch::Best nothing_known() {
  return {1, std::numeric_limits<double>::infinity(), {}};
}

void keep_better(const StepSearch::Best& candidate, StepSearch::Best& best) {
  const bool less = candidate.error < best.error * (1 - kEqualErrors);
  const bool equal = !less && candidate.error <= best.error * (1 + kEqualErrors);
  if (less || (equal && candidate.step < best.step)) best = candidate;
}

}  // namespace

void StepSearch::try_steps(double unclipped_step, CodeLevels levels, Best& best) const {
  for (int i = kTrialSteps; i > 0; --i) {
    const double step = unclipped_step * i / kTrialSteps;
    keep_better({step, error_.at(step, levels), levels}, best);
  }
}

void StepSearch::search(CodeLevels levels, EventBuckets::Range range, Best& best) const {
  if (!(range.lo < range.hi)) return;
  const EventBuckets buckets(error_, levels, range);
  double limit = best.error;
  for (std::size_t j = 0; j < buckets.count(); ++j) limit = std::min(limit, buckets.upper_bound(j));
  limit += 1e-12 * error_.total_square();  // the sums cancel
  std::vector<StepError> found;
  for (std::size_t j = 0; j < buckets.count(); ++j) {
    std::size_t end = j;
    while (end < buckets.count() && buckets.lower_bound(end) <= limit) ++end;
    if (end > j) buckets.minima(j, end, limit, found);
    j = end;
  }
  const std::size_t kept = std::min(found.size(), kDirectEvaluations);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    [](const StepError& a, const StepError& b) { return a.error < b.error; });
  for (std::size_t i = 0; i < kept; ++i) {
    keep_better({found[i].step, error_.at(found[i].step, levels), levels}, best);
  }
}

StepSearch::Best StepSearch::minimum(CodeLevels levels) const {
  CLEAVE_CHECK(levels.negative > 0 || levels.positive > 0, "a grid has codes beside zero");
  Best best = nothing_known();
  const double unclipped = error_.unclipped_step(levels);
  if (unclipped == 0) return {1, error_.total_square(), levels};
  try_steps(unclipped, levels, best);
  // From twice the largest value on every code is 0.
  search(levels, {0.5 / error_.largest(), 1 / error_.smallest_step(levels, best.error)}, best);
  return best;
}

double StepSearch::largest_step(const Best& best) const {
  const EventBuckets::Range range{0.5 / error_.largest(), 1 / best.step};
  if (!(range.lo < range.hi)) return best.step;
  const EventBuckets unbounded(error_, {kEndlessLevels, kEndlessLevels}, range);
  const double limit = best.error + 1e-12 * error_.total_square();
  for (std::size_t j = 0; j < unbounded.count(); ++j) {
    if (unbounded.lower_bound(j) <= limit) return 1 / unbounded.edge(j);
  }
  return best.step;
}

StepSearch::Best StepSearch::minimum_over_zero_points(std::int32_t top) const {
  if (error_.negative().empty()) return minimum({0, top});
  if (error_.positive().empty()) return minimum({top, 0});
  const double lo = error_.negative().largest();
  const double hi = error_.positive().largest();
  const auto middle = static_cast<std::int32_t>(std::nearbyint(top * lo / (lo + hi)));
  Best best = minimum({middle, top - middle});
  // No grid, however many codes it has, is better than the best known above this step.
  const double step_hi = largest_step(best);
  for (std::int32_t distance = 1; distance <= top; ++distance) {
    for (const std::int32_t zero_point : {middle - distance, middle + distance}) {
      if (zero_point < 0 || zero_point > top) continue;
      const CodeLevels levels{zero_point, top - zero_point};
      const double step_lo = error_.smallest_step(levels, best.error);
      if (step_lo < step_hi) search(levels, {1 / step_hi, 1 / step_lo}, best);
    }
  }
  return best;
}

}  // namespace cleave::quant
