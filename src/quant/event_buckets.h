#pragma once

#include <vector>

#include "quant/grid_error.h"

namespace cleave::quant {

/// A step and the error there (a sum, not a mean).
struct StepError {
  double step = 1;
  double error = 0;
};

/// The error function of one grid, cut into equal buckets of u = 1/s.
///
/// The code of x goes from k to k + 1 at u = (k + 1/2) / |x|. Between such events
///
///     f(s) = S - 2 s A + s^2 B,   S = sum w x^2,  A = sum w |x| q,  B = sum w q^2,
///
/// and an event adds w |x| to A and w (2k + 1) to B. Making the buckets needs no sorting: O(events).
class EventBuckets {
 public:
  /// Steps as inverses, 0 < lo < hi.
  struct Range {
    double lo;
    double hi;
  };

  EventBuckets(const GridError& error, CodeLevels levels, Range range);

  std::size_t count() const { return before_.size() - 1; }
  double edge(std::size_t j) const;  ///< inverse step where bucket j begins
  /// f of some step of bucket j with the codes of its begin: f is at most that somewhere in it.
  double upper_bound(std::size_t j) const;
  /// Nothing in bucket j is below. With the codes of its begin the error is at most s_begin (2 dA - s_end dB) too
  /// high, dA and dB being what its events add: an event at s_e lowers f(s) by w s (2k+1) (s_e - s).
  double lower_bound(std::size_t j) const;
  /// The minimum of each interval between neighbouring events in buckets [first, last), appended to `found` when it
  /// is at most `limit`.
  void minima(std::size_t first, std::size_t last, double limit, std::vector<StepError>& found) const;

 private:
  struct Sums {
    double a = 0;
    double b = 0;
  };
  struct Event {
    double inverse;
    Sums change;
  };

  double count_events();
  void fill();
  StepError minimum(const Sums& sums, double step_lo, double step_hi) const;
  std::vector<Event> sorted_events(Range range) const;

  const GridError& error_;
  CodeLevels levels_;
  Range range_;
  std::vector<Sums> before_;  ///< at the begin of each bucket, and at the end of the last
};

}  // namespace cleave::quant
