#include "evaluation/confusion.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "core/error.h"

namespace cleave::evaluation {

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  if (classes_ == 0) *this = ConfusionMatrix(other.classes_);
  if (classes_ != other.classes_) {
    throw Error(ErrorKind::kInvalidInput, "the network gave " + std::to_string(other.classes_) +
                                              " classes for one image and " + std::to_string(classes_) +
                                              " for another");
  }
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>());
}

std::int64_t ConfusionMatrix::pixels() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

double ConfusionMatrix::mean_iou() const {
  double sum = 0;
  int occurring = 0;
  for (std::size_t c = 0; c < classes_; ++c) {
    std::int64_t in_either = -count(c, c);
    for (std::size_t other = 0; other < classes_; ++other) in_either += count(c, other) + count(other, c);
    if (in_either == 0) continue;
    sum += static_cast<double>(count(c, c)) / static_cast<double>(in_either);
    ++occurring;
  }
  return occurring == 0 ? 0 : sum / occurring;
}

double ConfusionMatrix::pixel_accuracy() const {
  const std::int64_t all = pixels();
  std::int64_t right = 0;
  for (std::size_t c = 0; c < classes_; ++c) right += count(c, c);
  return all == 0 ? 0 : static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace cleave::evaluation
