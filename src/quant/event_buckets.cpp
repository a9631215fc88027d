#include "quant/event_buckets.h"

#include <algorithm>
#include <cstdint>

namespace cleave::quant {

namespace {

constexpr double kEventsPerBucket = 4;
constexpr double kMostBuckets = 65536;

/// The code of x at inverse step u: the number of events at or before u.
double code_at(double x, double u, std::int32_t levels) {
  return static_cast<double>(static_cast<std::int32_t>(std::min(x * u + 0.5, static_cast<double>(levels))));
}

}  // namespace

EventBuckets::EventBuckets(const GridError& error, CodeLevels levels, Range range)
    : error_(error), levels_(levels), range_(range) {
  const double wanted = std::clamp(count_events() / kEventsPerBucket, 8.0, kMostBuckets);
  before_.resize(static_cast<std::size_t>(wanted) + 1);
  fill();
}

double EventBuckets::count_events() {
  double events = 0;
  error_.for_each_side(levels_, [&](const HalfLine& side, std::int32_t codes) {
    for (const double x : side.magnitude) events += code_at(x, range_.hi, codes) - code_at(x, range_.lo, codes);
  });
  return events;
}

void EventBuckets::fill() {
  const double buckets_per_u = static_cast<double>(count()) / (range_.hi - range_.lo);
  const std::size_t last = count() - 1;
  error_.for_each_side(levels_, [&](const HalfLine& side, std::int32_t codes) {
    for (std::size_t i = 0; i < side.magnitude.size(); ++i) {
      const double x = side.magnitude[i];
      const double w = side.weight[i];
      const double begin = code_at(x, range_.lo, codes);
      const double end = code_at(x, range_.hi, codes);
      before_[0].a += w * x * begin;
      before_[0].b += w * begin * begin;
      const double buckets_per_code = buckets_per_u / x;
      for (double k = begin; k < end; k += 1) {
        const double place = std::max((k + 0.5) * buckets_per_code - range_.lo * buckets_per_u, 0.0);
        Sums& next = before_[std::min(static_cast<std::size_t>(place), last) + 1];
        next.a += w * x;
        next.b += w * (2 * k + 1);
      }
    }
  });
  for (std::size_t j = 1; j < before_.size(); ++j) {
    before_[j].a += before_[j - 1].a;
    before_[j].b += before_[j - 1].b;
  }
}

double EventBuckets::edge(std::size_t j) const {
  return range_.lo + (range_.hi - range_.lo) * (static_cast<double>(j) / static_cast<double>(count()));
}

StepError EventBuckets::minimum(const Sums& sums, double step_lo, double step_hi) const {
  const double step = sums.b > 0 ? std::clamp(sums.a / sums.b, step_lo, step_hi) : step_hi;
  return {step, error_.total_square() + step * (step * sums.b - 2 * sums.a)};
}

double EventBuckets::upper_bound(std::size_t j) const {
  return minimum(before_[j], 1 / edge(j + 1), 1 / edge(j)).error;
}

double EventBuckets::lower_bound(std::size_t j) const {
  const double step_hi = 1 / edge(j);
  const double step_lo = 1 / edge(j + 1);
  const Sums change{before_[j + 1].a - before_[j].a, before_[j + 1].b - before_[j].b};
  return minimum(before_[j], step_lo, step_hi).error - std::max(step_hi * (2 * change.a - step_lo * change.b), 0.0);
}

std::vector<EventBuckets::Event> EventBuckets::sorted_events(Range range) const {
  std::vector<Event> events;
  error_.for_each_side(levels_, [&](const HalfLine& side, std::int32_t codes) {
    for (std::size_t i = 0; i < side.magnitude.size(); ++i) {
      const double x = side.magnitude[i];
      const double end = code_at(x, range.hi, codes);
      for (double k = code_at(x, range.lo, codes); k < end; k += 1) {
        events.push_back({(k + 0.5) / x, {side.weight[i] * x, side.weight[i] * (2 * k + 1)}});
      }
    }
  });
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.inverse < b.inverse; });
  return events;
}

void EventBuckets::minima(std::size_t first, std::size_t last, double limit, std::vector<StepError>& found) const {
  Sums sums = before_[first];
  double step_hi = 1 / edge(first);
  const auto close_interval = [&](double step_lo) {
    const StepError lowest = minimum(sums, std::min(step_lo, step_hi), step_hi);
    if (lowest.error <= limit) found.push_back(lowest);
    step_hi = std::min(step_lo, step_hi);
  };
  for (const Event& event : sorted_events({edge(first), edge(last)})) {
    close_interval(1 / event.inverse);
    sums.a += event.change.a;
    sums.b += event.change.b;
  }
  close_interval(1 / edge(last));
}

}  // namespace cleave::quant
