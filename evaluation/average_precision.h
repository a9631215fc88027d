#pragma once

#include <span>
#include <vector>

#include "evaluation/detection.h"

namespace cleave::evaluation {

/// What was found in one picture and what is there.
struct DetectedImage {
  std::vector<Detection> found;
  std::vector<Detection> truth;
};

struct AveragePrecision {
  double map_50_95 = 0;  ///< mean over classes and IoU thresholds 0.50, 0.55, .. 0.95
  double map_50 = 0;     ///< mean over classes at IoU 0.50
};

/// COCO's average precision (Lin et al., Microsoft COCO, and its evaluation code), all object sizes.
///
/// Per class, picture and threshold t the 100 best detections, best first, each take the free object of largest IoU, if
/// that is >= t. Over all pictures, best score first (equal scores in picture order),
///
///     precision(k) = hits(k) / k,  recall(k) = hits(k) / objects,
///     AP = 1/101 sum_{i=0..100} max { precision(k) : recall(k) >= i/100 }      (0 where no k reaches the recall)
///
/// averaged over the classes that have an object in the labels. Labels carry no crowd regions: every object counts.
/// Throws Error(kInvalidInput) when the labels hold no object at all.
/// Cost  O(n log n) in the detections, times the objects of a class in a picture.
AveragePrecision average_precision(std::span<const DetectedImage> images);

/// How far two networks agree on what is in the pictures: F1 = 2 matched / (found by one + found by the other) over
/// detections with a score of at least 0.3; a match has the same class and an IoU of at least 0.5, best scores first,
/// each detection once. 1 when neither finds anything.
///
/// one, other   detections per picture, best first, in the same order of pictures.
double detection_agreement(std::span<const std::vector<Detection>> one, std::span<const std::vector<Detection>> other);

}  // namespace cleave::evaluation
