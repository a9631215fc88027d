#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace cleave::search::exact {

/// Lowest weight bytes by distortion: what the labels seen so far (of no more seconds) leave open.
class Staircase {
 public:
  /// An earlier label is at least as good.
  bool covers(double distortion, std::int64_t weight_bytes) const {
    const auto after = corners_.upper_bound(distortion);
    return after != corners_.begin() && std::prev(after)->second <= weight_bytes;
  }
  void enter(double distortion, std::int64_t weight_bytes) {
    auto after = corners_.upper_bound(distortion);
    while (after != corners_.end() && after->second >= weight_bytes) after = corners_.erase(after);
    corners_[distortion] = weight_bytes;
  }

 private:
  std::map<double, std::int64_t> corners_;
};

}  // namespace cleave::search::exact
