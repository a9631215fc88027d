#include "search/exact_planes.h"

#include <algorithm>

namespace cleave::search::exact {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class HighestPoint {
 public:
  HighestPoint(const std::vector<Plane>& planes, double most_x, double most_y)
      : planes_(planes), most_x_(most_x), most_y_(most_y) {}

  Point find() {
    for (const double y : {0.0, most_y_}) {
      for (const double x : {0.0, most_x_}) try_point(x, y);
      for (std::size_t i = 0; i < planes_.size(); ++i) {
        for (std::size_t j = i + 1; j < planes_.size(); ++j) cross_at_y(planes_[i], planes_[j], y);
      }
      if (most_y_ == 0) return best_;
    }
    for (std::size_t i = 0; i < planes_.size(); ++i) {
      for (std::size_t j = i + 1; j < planes_.size(); ++j) {
        for (const double x : {0.0, most_x_}) cross_at_x(planes_[i], planes_[j], x);
        for (std::size_t k = j + 1; k < planes_.size(); ++k) cross(planes_[i], planes_[j], planes_[k]);
      }
    }
    return best_;
  }

 private:
  void cross_at_y(const Plane& a, const Plane& b, double y) {
    const double slope = a.distortion - b.distortion;
    if (slope != 0) try_point((b.at(0, y) - a.at(0, y)) / slope, y);
  }
  void cross_at_x(const Plane& a, const Plane& b, double x) {
    const double slope = a.weights - b.weights;
    if (slope != 0) try_point(x, (b.at(x, 0) - a.at(x, 0)) / slope);
  }
  void cross(const Plane& a, const Plane& b, const Plane& c) {
    const double d1 = a.distortion - b.distortion, w1 = a.weights - b.weights, s1 = b.seconds - a.seconds;
    const double d2 = a.distortion - c.distortion, w2 = a.weights - c.weights, s2 = c.seconds - a.seconds;
    const double determinant = d1 * w2 - d2 * w1;
    if (determinant != 0) try_point((s1 * w2 - s2 * w1) / determinant, (d1 * s2 - d2 * s1) / determinant);
  }
  void try_point(double x, double y) {
    if (!(x >= 0 && x <= most_x_ && y >= 0 && y <= most_y_)) return;
    double height = kInfinity;
    for (const Plane& plane : planes_) {
      height = std::min(height, plane.at(x, y));
      if (found_ && height <= best_.height) return;
    }
    best_ = {x, y, height};
    found_ = true;
  }

  const std::vector<Plane>& planes_;
  double most_x_, most_y_;
  Point best_;
  bool found_ = false;
};

}  // namespace

Point highest_point(const std::vector<Plane>& planes, double most_x, double most_y) {
  return HighestPoint(planes, most_x, most_y).find();
}

}  // namespace cleave::search::exact
