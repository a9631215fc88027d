#pragma once

#include <cstdint>
#include <vector>

namespace cleave::evaluation {

/// Counts of (true class, predicted class) over pixels: exact, so that sums do not depend on their order.
class ConfusionMatrix {
 public:
  ConfusionMatrix() = default;
  explicit ConfusionMatrix(std::size_t classes) : classes_(classes), counts_(classes * classes) {}

  /// Both below classes().
  void add(std::size_t truth, std::size_t predicted) { ++counts_[truth * classes_ + predicted]; }
  /// Adds the other's counts; an empty matrix takes the other's size. Throws Error(kInvalidInput) for other sizes.
  void merge(const ConfusionMatrix& other);

  std::size_t classes() const { return classes_; }
  std::int64_t count(std::size_t truth, std::size_t predicted) const { return counts_[truth * classes_ + predicted]; }
  /// All counts together.
  std::int64_t pixels() const;

  /// Mean over the classes that occur (in truth or prediction: the others have no union) of
  ///
  ///     IoU_c = n_cc / (sum_p n_cp + sum_t n_tc - n_cc)
  ///
  /// 0..1; 0 when nothing was counted. Everingham et al., The PASCAL VOC Challenge: a Retrospective, section 2.3.
  double mean_iou() const;
  /// Share of the pixels whose predicted class is the true one; 0 when nothing was counted.
  double pixel_accuracy() const;

 private:
  std::size_t classes_ = 0;
  std::vector<std::int64_t> counts_;
};

}  // namespace cleave::evaluation
