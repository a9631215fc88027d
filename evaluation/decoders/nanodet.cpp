#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "evaluation/decoders/decoder.h"

namespace cleave::evaluation {

namespace {

constexpr std::size_t kSides = 4;

bool is_level(const Tensor& tensor, const ImageSize& grid) {
  const Shape& shape = tensor.shape();
  return tensor.dtype() == DType::kFloat32 && shape.size() == 3 && shape[0] == 1 &&
         shape[1] == grid.height * grid.width && shape[2] > 0;
}

void require_outputs(std::span<const Tensor> outputs, const ImageSize& input) {
  bool fits = outputs.size() == 2 * kStrides.size();
  for (std::size_t level = 0; fits && level < kStrides.size(); ++level) {
    const ImageSize grid = grid_of(input, kStrides[level]);
    const Tensor& scores = outputs[level];
    const Tensor& bins = outputs[level + kStrides.size()];
    fits = is_level(scores, grid) && is_level(bins, grid) && bins.shape()[2] % static_cast<std::int64_t>(kSides) == 0;
  }
  if (fits) return;
  throw Error(ErrorKind::kInvalidInput,
              "the network's outputs are not a NanoDet head's: class scores of strides 8, 16 and 32, then distances, "
              "each float32 1 x cells x columns");
}

/// Mean of 0, 1, .. under the softmax of the logits.
double expected_bin(std::span<const float> logits) {
  const double highest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  double weighted = 0;
  for (std::size_t k = 0; k < logits.size(); ++k) {
    const double weight = std::exp(static_cast<double>(logits[k]) - highest);
    sum += weight;
    weighted += weight * static_cast<double>(k);
  }
  return weighted / sum;
}

Box box_of(std::span<const float> bins, std::int64_t i, std::int64_t j, std::int64_t stride) {
  const auto s = static_cast<double>(stride);
  const double cx = (static_cast<double>(j) + 0.5) * s;
  const double cy = (static_cast<double>(i) + 0.5) * s;
  const std::size_t count = bins.size() / kSides;
  std::array<double, kSides> distance{};
  for (std::size_t side = 0; side < kSides; ++side)
    distance[side] = s * expected_bin(bins.subspan(side * count, count));
  return {cx - distance[0], cy - distance[1], cx + distance[2], cy + distance[3]};
}

std::vector<Detection> decode_level(const Tensor& scores, const Tensor& bins, const ImageSize& grid,
                                    std::int64_t stride, double min_score) {
  std::vector<Detection> detections;
  const auto classes = static_cast<std::size_t>(scores.shape()[2]);
  const auto columns = static_cast<std::size_t>(bins.shape()[2]);
  for (std::int64_t cell = 0; cell < grid.height * grid.width; ++cell) {
    const auto at = static_cast<std::size_t>(cell);
    const std::span<const float> row = scores.data<float>().subspan(at * classes, classes);
    for (std::size_t c = 0; c < classes; ++c) {
      const auto score = static_cast<double>(row[c]);
      if (score >= min_score) {
        const Box box =
            box_of(bins.data<float>().subspan(at * columns, columns), cell / grid.width, cell % grid.width, stride);
        detections.push_back({box, static_cast<std::int64_t>(c), score});
      }
    }
  }
  return detections;
}

}  // namespace

std::vector<Detection> decode_nanodet(std::span<const Tensor> outputs, const ImageSize& input, double min_score) {
  require_outputs(outputs, input);
  std::vector<Detection> detections;
  for (std::size_t level = 0; level < kStrides.size(); ++level) {
    const std::vector<Detection> found = decode_level(outputs[level], outputs[level + kStrides.size()],
                                                      grid_of(input, kStrides[level]), kStrides[level], min_score);
    detections.insert(detections.end(), found.begin(), found.end());
  }
  return detections;
}

}  // namespace cleave::evaluation
