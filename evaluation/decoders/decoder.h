#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "evaluation/detection.h"

namespace cleave::evaluation {

/// How the outputs of one family of detectors become boxes, with the thresholds its authors evaluate with.
struct Decoder {
  const char* name;
  double min_score;  ///< detections below are dropped before the suppression
  double max_iou;    ///< of two boxes of one class that both stay
  /// All detections with a score of at least `min_score`, boxes in pixels of the network's input.
  std::vector<Detection> (*decode)(std::span<const Tensor> outputs, const ImageSize& input, double min_score);
};

/// The decoder of that name. Throws Error(kUsage) with the names there are.
const Decoder& find_decoder(const std::string& name);
/// Names of all decoders, sorted.
std::vector<std::string> decoder_names();

/// The objects a network sees in a picture: decoded, suppressed, at most 1000, in the picture's own pixels, best first.
/// outputs  the network's outputs for one picture, in the network's order.
/// Throws Error(kInvalidInput) when their number, types or shapes are not the decoder's.
std::vector<Detection> detect(const Decoder& decoder, std::span<const Tensor> outputs, const Geometry& geometry);

/// YOLOX (Ge et al., YOLOX: Exceeding YOLO Series in 2021; its decoupled head without the decoding).
///
/// One output 1 x N x (5 + classes), rows over the cells (i, j) of the grids of stride s = 8, 16, 32:
///
///     centre = ((j + tx) s, (i + ty) s),  size = (exp(tw) s, exp(th) s),  score_c = objectness * class_c
///
/// and each class with a score of at least min_score gives a detection.
std::vector<Detection> decode_yolox(std::span<const Tensor> outputs, const ImageSize& input, double min_score);

/// NanoDet (generalized focal loss head: Li et al., Generalized Focal Loss, NeurIPS 2020).
///
/// Six outputs: class scores (sigmoid applied) 1 x N_s x classes for s = 8, 16, 32, then for the same strides the
/// distances' distributions 1 x N_s x 4 bins. For the cell (i, j)
///
///     centre = ((j + 1/2) s, (i + 1/2) s),  distance = s sum_k k softmax(bins)_k   to left, top, right, bottom
///
/// and each class with a score of at least min_score gives a detection.
std::vector<Detection> decode_nanodet(std::span<const Tensor> outputs, const ImageSize& input, double min_score);

/// The grids both families lay over the input.
constexpr std::array<std::int64_t, 3> kStrides{8, 16, 32};
/// Cells of one grid; a last part smaller than a stride counts.
ImageSize grid_of(const ImageSize& input, std::int64_t stride);

}  // namespace cleave::evaluation
