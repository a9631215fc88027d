#include "evaluation/miou.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "core/check.h"
#include "core/error.h"

namespace cleave::evaluation {

namespace {

/// Where the numbers of a score tensor lie.
struct Scores {
  const float* data;
  std::size_t classes, height, width;
  std::size_t class_stride, row_stride, column_stride;
};

Scores view_scores(const Tensor& tensor, const std::string& layout) {
  const Shape& shape = tensor.shape();
  const bool channels_last = layout == "NHWC";
  if (tensor.dtype() == DType::kFloat32 && shape.size() == 4 && shape[0] == 1 && tensor.elements() > 0) {
    const auto at = [&](std::size_t axis) { return static_cast<std::size_t>(shape[axis]); };
    const float* data = tensor.data<float>().data();
    const Scores scores = channels_last ? Scores{data, at(3), at(1), at(2), 1, at(2) * at(3), at(3)}
                                        : Scores{data, at(1), at(2), at(3), at(2) * at(3), at(3), 1};
    if (scores.classes <= kIgnored) return scores;
  }
  throw Error(ErrorKind::kInvalidInput,
              "the network's output " + std::string(dtype_name(tensor.dtype())) + " " + shape_text(shape) +
                  " is not a map of class scores",
              std::string("Expected: float32 ") + (channels_last ? "1 x h x w x classes" : "1 x classes x h x w") +
                  ", at most 255 classes.");
}

/// The two samples a picture's pixel is read from, and the second one's share.
struct Tap {
  std::size_t first = 0, second = 0;
  float share = 0;
  bool inside = false;
};

/// One tap per pixel of the picture along an axis; samples over the padding are replaced by the nearest over the
/// picture.
std::vector<Tap> taps_along(const AxisMap& axis, std::int64_t original, std::int64_t input, std::size_t samples) {
  const double per_input = static_cast<double>(samples) / static_cast<double>(input);
  const double left = std::max(0.0, axis.to_input(0)) * per_input;
  const double right = std::min(static_cast<double>(input), axis.to_input(static_cast<double>(original))) * per_input;
  const double last = std::clamp(std::ceil(right) - 1, 0.0, static_cast<double>(samples) - 1);
  const double first = std::clamp(std::floor(left), 0.0, last);
  std::vector<Tap> taps(static_cast<std::size_t>(original));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const double at = axis.to_input(static_cast<double>(i) + 0.5);
    const double sample = std::clamp(at * per_input - 0.5, first, last);
    const double below = std::floor(sample);
    taps[i] = {static_cast<std::size_t>(below), static_cast<std::size_t>(std::min(below + 1, last)),
               static_cast<float>(sample - below), at >= 0 && at < static_cast<double>(input)};
  }
  return taps;
}

/// Raises the best score and class of each pixel of a row by one class's scores.
void raise_row(const Scores& scores, std::size_t class_index, const Tap& row, const std::vector<Tap>& columns,
               std::vector<float>& best, std::uint8_t* labels) {
  const float* upper = scores.data + class_index * scores.class_stride + row.first * scores.row_stride;
  const float* lower = scores.data + class_index * scores.class_stride + row.second * scores.row_stride;
  for (std::size_t x = 0; x < columns.size(); ++x) {
    const Tap& tap = columns[x];
    const std::size_t left = tap.first * scores.column_stride;
    const std::size_t right = tap.second * scores.column_stride;
    const float above = upper[left] + tap.share * (upper[right] - upper[left]);
    const float below = lower[left] + tap.share * (lower[right] - lower[left]);
    const float score = above + row.share * (below - above);
    if (class_index > 0 && !(score > best[x])) continue;
    best[x] = score;
    labels[x] = static_cast<std::uint8_t>(class_index);
  }
}

std::int64_t equal_pixels(const LabelMap& one, const LabelMap& other) {
  std::int64_t equal = 0;
  for (std::size_t i = 0; i < one.index.size(); ++i) {
    equal += one.index[i] == other.index[i] && one.index[i] != kIgnored ? 1 : 0;
  }
  return equal;
}

std::int64_t predicted_pixels(const LabelMap& map) {
  return std::count_if(map.index.begin(), map.index.end(), [](std::uint8_t index) { return index != kIgnored; });
}

const Tensor& only_output(const std::vector<Tensor>& outputs) {
  if (outputs.size() == 1) return outputs.front();
  throw Error(ErrorKind::kUnsupported,
              "the network has " + std::to_string(outputs.size()) + " outputs; a map of class scores is one");
}

/// Whole numbers over all pictures: their sums do not depend on the order.
struct Totals {
  ConfusionMatrix network, reference;
  std::int64_t pixels = 0, equal = 0;
};

void add_picture(const LabelledRun& run, const Observation& seen, Totals& totals) {
  const LabelMap truth = read_label_map(seen.source.label, seen.geometry.original);
  const auto judge = [&](const std::vector<Tensor>& outputs, ConfusionMatrix& matrix) {
    const Tensor& scores = only_output(outputs);
    const LabelMap predicted = predict_labels(scores, run.preprocess.layout, seen.geometry);
    const auto classes = static_cast<std::size_t>(scores.shape()[run.preprocess.layout == "NHWC" ? 3 : 1]);
    matrix.merge(compare_labels(truth, predicted, classes));
    return predicted;
  };
  const LabelMap predicted = judge(seen.outputs, totals.network);
  if (!run.make_reference) return;
  totals.equal += equal_pixels(predicted, judge(seen.reference, totals.reference));
  totals.pixels += predicted_pixels(predicted);
}

}  // namespace

LabelMap predict_labels(const Tensor& scores, const std::string& layout, const Geometry& geometry) {
  const Scores view = view_scores(scores, layout);
  const std::vector<Tap> rows = taps_along(geometry.y, geometry.original.height, geometry.input.height, view.height);
  const std::vector<Tap> columns = taps_along(geometry.x, geometry.original.width, geometry.input.width, view.width);
  LabelMap map{geometry.original, std::vector<std::uint8_t>(rows.size() * columns.size(), kIgnored)};
  std::vector<float> best(columns.size());
  for (std::size_t y = 0; y < rows.size(); ++y) {
    if (!rows[y].inside) continue;
    std::uint8_t* labels = map.index.data() + y * columns.size();
    for (std::size_t c = 0; c < view.classes; ++c) raise_row(view, c, rows[y], columns, best, labels);
    for (std::size_t x = 0; x < columns.size(); ++x) {
      if (!columns[x].inside) labels[x] = kIgnored;
    }
  }
  return map;
}

ConfusionMatrix compare_labels(const LabelMap& truth, const LabelMap& predicted, std::size_t classes) {
  CLEAVE_CHECK(truth.index.size() == predicted.index.size(), "label maps of one picture have one size");
  ConfusionMatrix matrix(classes);
  for (std::size_t i = 0; i < truth.index.size(); ++i) {
    if (truth.index[i] == kIgnored || predicted.index[i] == kIgnored) continue;
    if (truth.index[i] >= classes) {
      throw Error(ErrorKind::kInvalidInput, "the label has class " + std::to_string(truth.index[i]) +
                                                ", the network knows 0 to " + std::to_string(classes - 1));
    }
    matrix.add(truth.index[i], predicted.index[i]);
  }
  return matrix;
}

Accuracy evaluate_miou(const LabelledRun& run, const StageControl& control) {
  const std::vector<LabelledImage> images = labelled_images(run, ".png");
  Totals totals;
  std::mutex mutex;
  const auto judge = [&](const Observation& seen) {
    Totals picture;
    add_picture(run, seen, picture);
    const std::lock_guard lock(mutex);
    totals.network.merge(picture.network);
    totals.pixels += picture.pixels;
    totals.equal += picture.equal;
    if (run.make_reference) totals.reference.merge(picture.reference);
  };
  observe_each(run, images, judge, control);
  Accuracy accuracy;
  accuracy.images = static_cast<std::int64_t>(images.size());
  accuracy.value = totals.network.mean_iou();
  accuracy.details["pixel_accuracy"] = totals.network.pixel_accuracy();
  if (run.make_reference) {
    accuracy.reference_value = totals.reference.mean_iou();
    accuracy.agreement =
        totals.pixels == 0 ? 1 : static_cast<double>(totals.equal) / static_cast<double>(totals.pixels);
  }
  return accuracy;
}

}  // namespace cleave::evaluation
