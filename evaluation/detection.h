#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "evaluation/geometry.h"

namespace cleave::evaluation {

/// A rectangle in continuous pixels.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  bool operator==(const Box&) const = default;
};

/// Intersection over union, 0..1; 0 for two boxes without area.
double iou(const Box& a, const Box& b);

/// An object as the network sees it, or (score 1) as the label says.
struct Detection {
  Box box;
  std::int64_t class_index = 0;
  double score = 1;
  bool operator==(const Detection&) const = default;
};

/// Greedy non-maximum suppression within each class: from the best score down, a detection that overlaps a kept one of
/// its class by more than `max_iou` goes. Returns the `max_count` best that stay, best first; equal scores keep their
/// order.
/// Cost  O(n log n + n * kept).
std::vector<Detection> suppress(std::vector<Detection> detections, double max_iou, std::size_t max_count);

/// Boxes from the network's input to the picture, clipped to it; those left without area go.
std::vector<Detection> to_picture(const std::vector<Detection>& detections, const Geometry& geometry);

/// Objects of one picture from YOLO lines "class cx cy w h", relative to the picture's size.
/// Throws Error(kIo | kInvalidInput) with file and line.
std::vector<Detection> read_yolo_labels(const std::filesystem::path& file, const ImageSize& picture);

}  // namespace cleave::evaluation
