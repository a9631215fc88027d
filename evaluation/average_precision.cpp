#include "evaluation/average_precision.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <iterator>
#include <optional>
#include <set>

#include "core/check.h"
#include "core/error.h"

namespace cleave::evaluation {

namespace {

constexpr std::size_t kThresholds = 10;
constexpr std::size_t kMaxPerClassAndImage = 100;
constexpr std::int64_t kRecallSteps = 100;
constexpr double kAgreementScore = 0.3;
constexpr double kAgreementIou = 0.5;

double threshold(std::size_t index) {
  return static_cast<double>(10 + index) / 20.0;
}

bool better(const Detection& a, const Detection& b) {
  return a.score > b.score;
}

std::vector<Detection> of_class(const std::vector<Detection>& all, std::int64_t class_index) {
  std::vector<Detection> chosen;
  std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
               [&](const Detection& detection) { return detection.class_index == class_index; });
  return chosen;
}

/// Hands out each object once.
class Objects {
 public:
  explicit Objects(const std::vector<Detection>& objects) : objects_(objects), taken_(objects.size(), false) {}

  /// Takes the free object of the same class with the largest IoU, if that is at least `min_iou`.
  bool take(const Detection& found, double min_iou) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      if (taken_[i] || objects_[i].class_index != found.class_index) continue;
      const double overlap = iou(found.box, objects_[i].box);
      if (overlap < min_iou) continue;
      best = i;
      min_iou = overlap;
    }
    if (best) taken_[*best] = true;
    return best.has_value();
  }

 private:
  const std::vector<Detection>& objects_;
  std::vector<bool> taken_;
};

/// A detection of one class, and the thresholds at which it found an object.
struct Judged {
  double score;
  std::bitset<kThresholds> hit;
};

void judge_image(std::vector<Detection> found, const std::vector<Detection>& truth, std::vector<Judged>& judged) {
  std::stable_sort(found.begin(), found.end(), better);
  if (found.size() > kMaxPerClassAndImage) found.resize(kMaxPerClassAndImage);
  const std::size_t first = judged.size();
  for (const Detection& detection : found) judged.push_back({detection.score, {}});
  for (std::size_t t = 0; t < kThresholds; ++t) {
    Objects objects(truth);
    for (std::size_t i = 0; i < found.size(); ++i) judged[first + i].hit[t] = objects.take(found[i], threshold(t));
  }
}

/// The area under the interpolated precision over recall at one threshold.
double interpolated_precision(const std::vector<Judged>& ranked, std::int64_t objects, std::size_t threshold_index) {
  std::vector<std::int64_t> hits(ranked.size());
  std::vector<double> precision(ranked.size());
  std::int64_t so_far = 0;
  for (std::size_t k = 0; k < ranked.size(); ++k) {
    so_far += ranked[k].hit[threshold_index] ? 1 : 0;
    hits[k] = so_far;
    precision[k] = static_cast<double>(so_far) / static_cast<double>(k + 1);
  }
  for (std::size_t k = ranked.size(); k-- > 1;) precision[k - 1] = std::max(precision[k - 1], precision[k]);
  double sum = 0;
  std::size_t k = 0;
  for (std::int64_t step = 0; step <= kRecallSteps; ++step) {
    while (k < ranked.size() && hits[k] * kRecallSteps < step * objects) ++k;
    if (k == ranked.size()) break;
    sum += precision[k];
  }
  return sum / (kRecallSteps + 1);
}

/// AP of one class at each threshold.
std::array<double, kThresholds> class_precision(std::span<const DetectedImage> images, std::int64_t class_index) {
  std::vector<Judged> judged;
  std::int64_t objects = 0;
  for (const DetectedImage& image : images) {
    const std::vector<Detection> truth = of_class(image.truth, class_index);
    objects += static_cast<std::int64_t>(truth.size());
    judge_image(of_class(image.found, class_index), truth, judged);
  }
  std::stable_sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) { return a.score > b.score; });
  std::array<double, kThresholds> precision{};
  for (std::size_t t = 0; t < kThresholds; ++t) precision[t] = interpolated_precision(judged, objects, t);
  return precision;
}

std::vector<Detection> confident(const std::vector<Detection>& detections) {
  std::vector<Detection> chosen;
  std::copy_if(detections.begin(), detections.end(), std::back_inserter(chosen),
               [](const Detection& detection) { return detection.score >= kAgreementScore; });
  std::stable_sort(chosen.begin(), chosen.end(), better);
  return chosen;
}

}  // namespace

AveragePrecision average_precision(std::span<const DetectedImage> images) {
  std::set<std::int64_t> classes;
  for (const DetectedImage& image : images) {
    for (const Detection& object : image.truth) classes.insert(object.class_index);
  }
  if (classes.empty()) throw Error(ErrorKind::kInvalidInput, "the labels hold no object");
  AveragePrecision result;
  for (const std::int64_t class_index : classes) {
    const std::array<double, kThresholds> precision = class_precision(images, class_index);
    result.map_50 += precision.front();
    for (const double value : precision) result.map_50_95 += value / static_cast<double>(kThresholds);
  }
  result.map_50 /= static_cast<double>(classes.size());
  result.map_50_95 /= static_cast<double>(classes.size());
  return result;
}

double detection_agreement(std::span<const std::vector<Detection>> one, std::span<const std::vector<Detection>> other) {
  CLEAVE_CHECK(one.size() == other.size(), "both networks saw the same pictures");
  std::size_t matched = 0;
  std::size_t found = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const std::vector<Detection> mine = confident(one[i]);
    const std::vector<Detection> theirs = confident(other[i]);
    Objects objects(theirs);
    for (const Detection& detection : mine) matched += objects.take(detection, kAgreementIou) ? 1 : 0;
    found += mine.size() + theirs.size();
  }
  return found == 0 ? 1 : 2 * static_cast<double>(matched) / static_cast<double>(found);
}

}  // namespace cleave::evaluation
