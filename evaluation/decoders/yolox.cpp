#include <cmath>

#include "core/error.h"
#include "evaluation/decoders/decoder.h"

namespace cleave::evaluation {

namespace {

constexpr std::size_t kFirstClass = 5;  // after tx, ty, tw, th, objectness

std::int64_t cells(const ImageSize& input) {
  std::int64_t count = 0;
  for (const std::int64_t stride : kStrides) {
    const ImageSize grid = grid_of(input, stride);
    count += grid.height * grid.width;
  }
  return count;
}

void require_output(std::span<const Tensor> outputs, const ImageSize& input) {
  const bool fits = outputs.size() == 1 && outputs[0].dtype() == DType::kFloat32 && outputs[0].shape().size() == 3 &&
                    outputs[0].shape()[0] == 1 && outputs[0].shape()[1] == cells(input) &&
                    outputs[0].shape()[2] > static_cast<std::int64_t>(kFirstClass);
  if (fits) return;
  throw Error(ErrorKind::kInvalidInput,
              "the network's outputs are not an undecoded YOLOX head's: one float32 tensor 1x" +
                  std::to_string(cells(input)) + "x(5 + classes) is expected" +
                  (outputs.empty() ? "" : ", the first one is " + shape_text(outputs[0].shape())));
}

Box box_of(std::span<const float> row, std::int64_t i, std::int64_t j, std::int64_t stride) {
  const auto s = static_cast<double>(stride);
  const double cx = (static_cast<double>(j) + static_cast<double>(row[0])) * s;
  const double cy = (static_cast<double>(i) + static_cast<double>(row[1])) * s;
  const double half_width = std::exp(static_cast<double>(row[2])) * s / 2;
  const double half_height = std::exp(static_cast<double>(row[3])) * s / 2;
  return {cx - half_width, cy - half_height, cx + half_width, cy + half_height};
}

}  // namespace

std::vector<Detection> decode_yolox(std::span<const Tensor> outputs, const ImageSize& input, double min_score) {
  require_output(outputs, input);
  std::span<const float> rest = outputs[0].data<float>();
  const auto columns = static_cast<std::size_t>(outputs[0].shape()[2]);
  std::vector<Detection> detections;
  for (const std::int64_t stride : kStrides) {
    const ImageSize grid = grid_of(input, stride);
    for (std::int64_t cell = 0; cell < grid.height * grid.width; ++cell, rest = rest.subspan(columns)) {
      const std::span<const float> row = rest.first(columns);
      const Box box = box_of(row, cell / grid.width, cell % grid.width, stride);
      for (std::size_t c = 0; c + kFirstClass < columns; ++c) {
        const double score = static_cast<double>(row[kFirstClass - 1]) * static_cast<double>(row[kFirstClass + c]);
        if (score >= min_score) detections.push_back({box, static_cast<std::int64_t>(c), score});
      }
    }
  }
  return detections;
}

}  // namespace cleave::evaluation
