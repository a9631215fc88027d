#pragma once

#include <cstdint>

#include "quant/event_buckets.h"
#include "quant/grid_error.h"

namespace cleave::quant {

/// The step of least squared error of given values on integer grids: the global minimum, without a prior or tuning.
///
/// 1. Clipping alone rules out all steps below some step (GridError::smallest_step).
/// 2. Events are counted into buckets, unsorted; bounds rule out most buckets (EventBuckets).
/// 3. In the others events are sorted and every interval is minimised; the lowest are evaluated directly.
///
/// Of steps with equal errors (a step and its third, say, when every code is a multiple of 3) the smallest is taken.
class StepSearch {
 public:
  struct Best {
    double step = 1;
    double error = 0;  ///< sum, not mean
    CodeLevels levels;
  };

  explicit StepSearch(const WeightedValues& values) : error_(values) {}

  /// Over all steps. All-zero values: step 1, error 0. One of the levels is positive (checked).
  /// Cost O(n log n + n E|x| / step): the codes that occur, not those that exist.
  Best minimum(CodeLevels levels) const;
  /// Over all steps and all {negative = z, positive = top - z}, 0 <= z <= top. Values of one sign have all codes on
  /// their side.
  Best minimum_over_zero_points(std::int32_t top) const;

 private:
  void try_steps(double unclipped_step, CodeLevels levels, Best& best) const;
  void search(CodeLevels levels, EventBuckets::Range range, Best& best) const;
  double largest_step(const Best& best) const;

  GridError error_;
};

}  // namespace cleave::quant
