#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cleave::calibration {

/// What an image file says of itself before anything is decoded.
struct ImageHeader {
  std::string format;  ///< "JPEG", "PNG", "BMP", "WebP", "PNM" or "TIFF"
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Format and size by content. Decoders give back half-grey pictures for files that were cut short; where the format
/// marks its end (JPEG EOI, PNG IEND, WebP length) a missing end is an error here.
/// Throws Error(kInvalidInput) for other formats, cut or contradictory headers, or a size of 0.
ImageHeader read_image_header(std::string_view bytes);

}  // namespace cleave::calibration
