#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

struct Box {
  float top = 0;
  float left = 0;
  float bottom = 0;
  float right = 0;

  float area() const { return (bottom - top) * (right - left); }
};

/// Two opposite corners (y1, x1, y2, x2) in any order.
Box box_of_corners(const float* v) {
  return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
}

/// (x_center, y_center, width, height)
Box box_of_center(const float* v) {
  return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
}

/// True when intersection over union is above the threshold. Boxes without area overlap nothing.
bool overlaps(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0 || a.area() <= 0 || b.area() <= 0) return false;
  const float shared = height * width;
  return shared / (a.area() + b.area() - shared) > threshold;
}

struct Selection {
  std::int64_t most = 0;    ///< boxes per batch and class
  float iou_threshold = 0;  ///< within [0, 1]
  bool has_score_threshold = false;
  float score_threshold = 0;  ///< scores must be above
};

Selection selection_of(const KernelCall& call) {
  Selection s;
  if (call.in(2).present()) s.most = std::max<std::int64_t>(0, *call.in(2).as<std::int64_t>());
  if (call.in(3).present()) s.iou_threshold = *call.in(3).as<float>();
  s.has_score_threshold = call.in(4).present();
  if (s.has_score_threshold) s.score_threshold = *call.in(4).as<float>();
  if (!(s.iou_threshold >= 0 && s.iou_threshold <= 1)) {
    throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': iou_threshold " +
                                              std::to_string(s.iou_threshold) + " is not within 0 and 1");
  }
  return s;
}

/// Greedy: boxes from the highest score down (equal scores by position), each kept unless it overlaps a kept one.
std::vector<std::int64_t> select(const std::vector<Box>& boxes, const float* scores, const Selection& s) {
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const bool wanted = s.has_score_threshold ? scores[i] > s.score_threshold : !std::isnan(scores[i]);
    if (wanted) order.push_back(static_cast<std::int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  std::vector<std::int64_t> kept;
  for (const std::int64_t candidate : order) {
    if (static_cast<std::int64_t>(kept.size()) >= s.most) break;
    const Box& box = boxes[static_cast<std::size_t>(candidate)];
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](std::int64_t k) {
      return overlaps(box, boxes[static_cast<std::size_t>(k)], s.iou_threshold);
    });
    if (!suppressed) kept.push_back(candidate);
  }
  return kept;
}

void check_shapes(const KernelCall& call) {
  const Shape& boxes = call.in(0).shape;
  const Shape& scores = call.in(1).shape;
  if (boxes.size() == 3 && boxes[2] == 4 && scores.size() == 3 && scores[0] == boxes[0] && scores[2] == boxes[1]) {
    return;
  }
  throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': boxes " + shape_text(boxes) + " and scores " +
                                            shape_text(scores) + " do not belong together");
}

}  // namespace

std::vector<Tensor> non_max_suppression(const KernelCall& call) {
  check_shapes(call);
  const Selection selection = selection_of(call);
  const bool centered = call.node.integer("center_point_box", 0) != 0;
  const Shape& shape = call.in(1).shape;  // batches, classes, boxes
  std::vector<std::int64_t> rows;
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    std::vector<Box> boxes;
    for (std::int64_t i = 0; i < shape[2]; ++i) {
      const float* values = call.in(0).as<float>() + (n * shape[2] + i) * 4;
      boxes.push_back(centered ? box_of_center(values) : box_of_corners(values));
    }
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      const float* scores = call.in(1).as<float>() + (n * shape[1] + c) * shape[2];
      for (const std::int64_t box : select(boxes, scores, selection)) rows.insert(rows.end(), {n, c, box});
    }
  }
  return {Tensor::from<std::int64_t>({static_cast<std::int64_t>(rows.size()) / 3, 3}, rows)};
}

}  // namespace cleave::exec::reference
