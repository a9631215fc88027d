#pragma once

#include <string>

#include "core/progress.h"
#include "core/tensor.h"
#include "evaluation/confusion.h"
#include "evaluation/label_map.h"
#include "evaluation/labelled_run.h"

namespace cleave::evaluation {

/// The class of every pixel of the picture: the class scores, read bilinearly (pixel centres at i + 1/2, as image
/// resizing does) where preprocessing put the pixel's centre, and of them the largest; the lowest class of equals.
/// Scores over the padding are never mixed in; pixels that the centre crop cut away are kIgnored.
///
/// scores  float32, 1 x classes x h x w, or 1 x h x w x classes when `layout` is "NHWC"; h x w spans the network's
///         input and may be coarser. At most 255 classes.
/// Throws Error(kInvalidInput) for other types and shapes.
/// Cost    O(pixels * classes).
LabelMap predict_labels(const Tensor& scores, const std::string& layout, const Geometry& geometry);

/// Counts of (true class, predicted class) over the pixels that neither map ignores; both have the same size.
/// Throws Error(kInvalidInput) when the truth has a class that the network does not know.
ConfusionMatrix compare_labels(const LabelMap& truth, const LabelMap& predicted, std::size_t classes);

/// Mean IoU over the labelled pictures. Labels: STEM.png, see parse_label_map, in the picture's size.
/// value         ConfusionMatrix::mean_iou of all pictures' pixels together; details["pixel_accuracy"].
/// agreement     share of the pictures' pixels where both networks say the same class, labelled or not.
/// Throws as labelled_images, observe_each and the label files do.
Accuracy evaluate_miou(const LabelledRun& run, const StageControl& control = {});

}  // namespace cleave::evaluation
