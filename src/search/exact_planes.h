#pragma once

#include <limits>
#include <vector>

namespace cleave::search::exact {

/// value <= seconds + x * distortion + y * weights, the last two over their limits, in the units of the scales.
struct Plane {
  double seconds, distortion, weights;
  double at(double x, double y) const { return seconds + x * distortion + y * weights; }
};

struct Point {
  double x = 0, y = 0;
  double height = std::numeric_limits<double>::infinity();
};

/// The highest point of 0 <= x <= most_x, 0 <= y <= most_y that no plane lies under: where three planes (or sides of
/// the box) meet. Cost O(planes^4) at worst, of some tens.
Point highest_point(const std::vector<Plane>& planes, double most_x, double most_y);

}  // namespace cleave::search::exact
