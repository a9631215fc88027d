#include "evaluation/detection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace cleave::evaluation {

namespace {

double area(const Box& box) {
  return std::max(0.0, box.right - box.left) * std::max(0.0, box.bottom - box.top);
}

bool overlaps_one(const Detection& candidate, const std::vector<Detection>& kept, double max_iou) {
  return std::any_of(kept.begin(), kept.end(), [&](const Detection& other) {
    return other.class_index == candidate.class_index && iou(other.box, candidate.box) > max_iou;
  });
}

double clipped_to_original(const AxisMap& axis, double input, std::int64_t size) {
  return std::clamp(axis.to_original(input), 0.0, static_cast<double>(size));
}

/// "class cx cy w h" with a class >= 0 and sizes > 0, or empty when the line is something else.
std::optional<Detection> parse_line(std::string line, const ImageSize& picture) {
  std::replace(line.begin(), line.end(), '\t', ' ');
  std::vector<std::string> words = split_text(line, ' ');
  std::erase(words, "");
  if (words.size() != 5) return std::nullopt;
  const auto class_index = parse_integer(words[0]);
  if (!class_index || *class_index < 0) return std::nullopt;
  std::array<double, 4> place{};  // cx, cy, w, h
  for (std::size_t i = 0; i < place.size(); ++i) {
    const auto number = parse_number(words[i + 1]);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    place[i] = *number * static_cast<double>(i % 2 == 0 ? picture.width : picture.height);
  }
  const auto [cx, cy, w, h] = place;
  if (w <= 0 || h <= 0) return std::nullopt;
  return Detection{{cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2}, *class_index, 1};
}

}  // namespace

double iou(const Box& a, const Box& b) {
  const double shared = area(
      {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right), std::min(a.bottom, b.bottom)});
  const double either = area(a) + area(b) - shared;
  return either > 0 ? shared / either : 0;
}

std::vector<Detection> suppress(std::vector<Detection> detections, double max_iou, std::size_t max_count) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  for (const Detection& candidate : detections) {
    if (kept.size() == max_count) break;
    if (!overlaps_one(candidate, kept, max_iou)) kept.push_back(candidate);
  }
  return kept;
}

std::vector<Detection> to_picture(const std::vector<Detection>& detections, const Geometry& geometry) {
  std::vector<Detection> result;
  for (Detection detection : detections) {
    Box& box = detection.box;
    box = {clipped_to_original(geometry.x, box.left, geometry.original.width),
           clipped_to_original(geometry.y, box.top, geometry.original.height),
           clipped_to_original(geometry.x, box.right, geometry.original.width),
           clipped_to_original(geometry.y, box.bottom, geometry.original.height)};
    if (area(box) > 0) result.push_back(detection);
  }
  return result;
}

std::vector<Detection> read_yolo_labels(const std::filesystem::path& file, const ImageSize& picture) {
  const std::vector<std::string> lines = split_text(read_file(file), '\n');
  std::vector<Detection> objects;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = trim_text(lines[i]);
    if (line.empty()) continue;
    const std::optional<Detection> object = parse_line(line, picture);
    if (!object) {
      throw Error(ErrorKind::kInvalidInput,
                  file.string() + ":" + std::to_string(i + 1) + ": '" + line + "' is not a labelled box",
                  "One object per line: class cx cy w h, the last four relative to the picture (0..1).");
    }
    objects.push_back(*object);
  }
  return objects;
}

}  // namespace cleave::evaluation
