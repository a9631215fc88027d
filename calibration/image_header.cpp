#include "calibration/image_header.h"

#include <cstdlib>

#include "core/error.h"

namespace cleave::calibration {

namespace {

Error bad(const std::string& what) {
  return Error(ErrorKind::kInvalidInput, what);
}

/// Bounds-checked numbers in a file.
class Bytes {
 public:
  Bytes(std::string_view bytes, const char* format, bool big_endian = true)
      : bytes_(bytes), format_(format), big_endian_(big_endian) {}

  std::int64_t u8(std::size_t at) const {
    if (at >= bytes_.size()) throw bad(std::string("the ") + format_ + " file is cut short");
    return static_cast<unsigned char>(bytes_[at]);
  }
  std::int64_t number(std::size_t at, std::size_t width) const {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | u8(at + (big_endian_ ? i : width - 1 - i));
    return value;
  }
  std::int64_t u16(std::size_t at) const { return number(at, 2); }
  std::int64_t u32(std::size_t at) const { return number(at, 4); }

 private:
  std::string_view bytes_;
  const char* format_;
  bool big_endian_;
};

bool is_frame_header(std::int64_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool stands_alone(std::int64_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
}

/// Walks the segments up to the first scan. Within scans 0xFF is escaped, so FF D9 behind it is the end marker.
ImageHeader read_jpeg(std::string_view file) {
  const Bytes bytes(file, "JPEG");
  ImageHeader header{"JPEG", 0, 0};
  std::size_t at = 2;
  while (true) {
    while (bytes.u8(at) != 0xFF) ++at;
    while (bytes.u8(at) == 0xFF) ++at;
    const std::int64_t marker = bytes.u8(at++);
    if (stands_alone(marker)) continue;
    if (marker == 0xD9) throw bad("the JPEG file holds no picture");
    const std::int64_t length = bytes.u16(at);
    if (length < 2) throw bad("the JPEG file is damaged: a segment of length " + std::to_string(length));
    if (is_frame_header(marker)) {
      header.height = bytes.u16(at + 3);
      header.width = bytes.u16(at + 5);
    }
    at += static_cast<std::size_t>(length);
    if (marker == 0xDA) break;
  }
  if (file.find("\xFF\xD9", at) == std::string_view::npos) throw bad("the JPEG file is cut short: no end marker");
  return header;
}

ImageHeader read_png(std::string_view file) {
  const Bytes bytes(file, "PNG");
  const ImageHeader header{"PNG", bytes.u32(20), bytes.u32(16)};
  std::size_t at = 8;
  while (bytes.u32(at + 4) != 0x49454E44) at += 12 + static_cast<std::size_t>(bytes.u32(at));  // until "IEND"
  return header;
}

ImageHeader read_bmp(std::string_view file) {
  const Bytes bytes(file, "BMP", false);
  if (bytes.u32(14) == 12) return {"BMP", bytes.u16(20), bytes.u16(18)};
  const auto signed_at = [&](std::size_t at) { return std::int64_t{static_cast<std::int32_t>(bytes.u32(at))}; };
  return {"BMP", std::abs(signed_at(22)), signed_at(18)};  // a negative height means rows from the top
}

/// RFC 9649 sections 2.5 to 2.7.
ImageHeader read_webp(std::string_view file) {
  const Bytes bytes(file, "WebP", false);
  if (bytes.u32(4) + 8 > static_cast<std::int64_t>(file.size())) throw bad("the WebP file is cut short");
  const std::string_view chunk = file.substr(12, 4);
  if (chunk == "VP8X") return {"WebP", 1 + bytes.number(27, 3), 1 + bytes.number(24, 3)};
  if (chunk == "VP8 ") return {"WebP", bytes.u16(28) & 0x3FFF, bytes.u16(26) & 0x3FFF};
  if (chunk != "VP8L") throw bad("the WebP file is damaged: unknown first chunk");
  const std::int64_t packed = bytes.u32(21);
  return {"WebP", 1 + (packed >> 14 & 0x3FFF), 1 + (packed & 0x3FFF)};
}

std::int64_t next_pnm_number(const Bytes& bytes, std::size_t& at) {
  while (bytes.u8(at) <= ' ' || bytes.u8(at) == '#') {
    if (bytes.u8(at) == '#') {
      while (bytes.u8(at) != '\n') ++at;
    }
    ++at;
  }
  std::int64_t value = 0;
  for (; bytes.u8(at) >= '0' && bytes.u8(at) <= '9'; ++at) {
    value = value * 10 + bytes.u8(at) - '0';
    if (value > INT32_MAX) throw bad("the PNM file is damaged: its size does not fit in 32 bits");
  }
  return value;
}

ImageHeader read_pnm(std::string_view file) {
  const Bytes bytes(file, "PNM");
  std::size_t at = 2;
  const std::int64_t width = next_pnm_number(bytes, at);
  return {"PNM", next_pnm_number(bytes, at), width};
}

/// Width (tag 256) and height (tag 257) of the first page.
ImageHeader read_tiff(std::string_view file) {
  const Bytes bytes(file, "TIFF", file[0] == 'M');
  ImageHeader header{"TIFF", 0, 0};
  const auto page = static_cast<std::size_t>(bytes.u32(4));
  const std::int64_t entries = bytes.u16(page);
  for (std::size_t entry = page + 2; entry < page + 2 + 12 * static_cast<std::size_t>(entries); entry += 12) {
    const std::int64_t tag = bytes.u16(entry);
    const std::int64_t value = bytes.u16(entry + 2) == 3 ? bytes.u16(entry + 8) : bytes.u32(entry + 8);
    if (tag == 256) header.width = value;
    if (tag == 257) header.height = value;
  }
  return header;
}

bool starts_with(std::string_view bytes, std::string_view start) {
  return bytes.substr(0, start.size()) == start;
}

ImageHeader read_known(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (starts_with(bytes, "\xFF\xD8\xFF")) return read_jpeg(bytes);
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n")) return read_png(bytes);
  if (starts_with(bytes, "RIFF") && bytes.size() >= 16 && bytes.substr(8, 4) == "WEBP") return read_webp(bytes);
  if (starts_with(bytes, "II*\0"sv) || starts_with(bytes, "MM\0*"sv)) return read_tiff(bytes);
  if (starts_with(bytes, "BM")) return read_bmp(bytes);
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6') return read_pnm(bytes);
  throw Error(ErrorKind::kInvalidInput, "not an image that cleave can read",
              "JPEG, PNG, BMP, WebP, PNM and TIFF are read; arrays as .npy.");
}

}  // namespace

ImageHeader read_image_header(std::string_view bytes) {
  if (bytes.empty()) throw bad("the file is empty");
  ImageHeader header = read_known(bytes);
  if (header.height <= 0 || header.width <= 0) throw bad("the " + header.format + " file is damaged: no picture size");
  return header;
}

}  // namespace cleave::calibration
