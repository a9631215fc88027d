#pragma once

#include <functional>

namespace cleave::tune {

/// A point of a line and the loss there.
struct LinePoint {
  double at = 0;
  double loss = 0;
};

struct Line {
  LinePoint start;    ///< where it begins, already measured
  double step = 0.1;  ///< of the first bracket
  double lowest = -1;
  double highest = 1;
};

/// The best point found on a line with few looks: a step to either side, on in the better direction while it pays
/// (steps doubling), then the vertex of the parabola through the best three and a last half step. Never worse than the
/// start. loss(at, limit) may return anything above `limit` as soon as it knows that the loss is above it.
LinePoint search_line(const Line& line, const std::function<double(double at, double limit)>& loss);

}  // namespace cleave::tune
