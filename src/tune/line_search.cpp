#include "tune/line_search.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cleave::tune {

namespace {

constexpr int kMostExpansions = 3;

class LineSearch {
 public:
  LineSearch(const Line& line, const std::function<double(double, double)>& loss)
      : line_(line), loss_(loss), best_(line.start), seen_{line.start} {}

  LinePoint run() {
    if (!look(line_.start.at + line_.step) && !look(line_.start.at - line_.step)) {
      look_at_vertex();
      return best_;
    }
    double step = best_.at > line_.start.at ? line_.step : -line_.step;
    for (int i = 0; i < kMostExpansions; ++i) {
      step *= 2;
      if (!look(best_.at + step)) break;
    }
    look_at_vertex();
    return best_;
  }

 private:
  /// True when the point there is the best so far.
  bool look(double at) {
    at = std::clamp(at, line_.lowest, line_.highest);
    for (const LinePoint& point : seen_) {
      if (std::abs(point.at - at) < 0.05 * line_.step) return false;
    }
    const LinePoint point{at, loss_(at, best_.loss)};
    seen_.push_back(point);
    if (!(point.loss < best_.loss)) return false;
    best_ = point;
    return true;
  }

  /// The parabola through the best point and its neighbours on either side. A loss that was given up early is too low,
  /// which pulls the vertex towards it by less than half of the interval: still between the neighbours.
  void look_at_vertex() {
    std::sort(seen_.begin(), seen_.end(), [](const LinePoint& a, const LinePoint& b) { return a.at < b.at; });
    const auto best = std::find_if(seen_.begin(), seen_.end(), [this](const LinePoint& p) { return p.at == best_.at; });
    if (best == seen_.begin() || best + 1 == seen_.end()) return;
    const LinePoint& left = *(best - 1);
    const LinePoint& right = *(best + 1);
    const double a = (best->at - left.at) * (best->loss - right.loss);
    const double b = (best->at - right.at) * (best->loss - left.loss);
    if (!std::isfinite(a - b) || a == b) return;
    const double vertex = best->at - 0.5 * ((best->at - left.at) * a - (best->at - right.at) * b) / (a - b);
    if (std::isfinite(vertex)) look(std::clamp(vertex, left.at, right.at));
  }

  const Line& line_;
  const std::function<double(double, double)>& loss_;
  LinePoint best_;
  std::vector<LinePoint> seen_;
};

}  // namespace

LinePoint search_line(const Line& line, const std::function<double(double, double)>& loss) {
  return LineSearch(line, loss).run();
}

}  // namespace cleave::tune
