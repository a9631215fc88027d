#include "evaluation/decoders/decoder.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace cleave::evaluation {

namespace {

// Bounds the work on a network that sees something everywhere; the metric itself takes 100 per class.
constexpr std::size_t kMaxDetections = 1000;

// Sorted by name.
constexpr std::array<Decoder, 2> kDecoders{{
    {"nanodet", 0.05, 0.6, decode_nanodet},
    {"yolox", 0.01, 0.65, decode_yolox},
}};

bool is_finite(const Box& box) {
  return std::isfinite(box.left) && std::isfinite(box.top) && std::isfinite(box.right) && std::isfinite(box.bottom);
}

}  // namespace

const Decoder& find_decoder(const std::string& name) {
  for (const Decoder& decoder : kDecoders) {
    if (name == decoder.name) return decoder;
  }
  const std::vector<std::string> names = decoder_names();
  throw Error(ErrorKind::kUsage, "there is no decoder '" + name + "'" + did_you_mean(name, names),
              "Decoders: " + join_text(names, ", ") + ".");
}

std::vector<std::string> decoder_names() {
  std::vector<std::string> names;
  for (const Decoder& decoder : kDecoders) names.emplace_back(decoder.name);
  return names;
}

std::vector<Detection> detect(const Decoder& decoder, std::span<const Tensor> outputs, const Geometry& geometry) {
  std::vector<Detection> detections = decoder.decode(outputs, geometry.input, decoder.min_score);
  std::erase_if(detections, [](const Detection& detection) { return !is_finite(detection.box); });
  return to_picture(suppress(std::move(detections), decoder.max_iou, kMaxDetections), geometry);
}

ImageSize grid_of(const ImageSize& input, std::int64_t stride) {
  return {(input.height + stride - 1) / stride, (input.width + stride - 1) / stride};
}

}  // namespace cleave::evaluation
