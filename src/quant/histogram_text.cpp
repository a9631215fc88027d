#include "quant/histogram_text.h"

#include <array>
#include <cstdint>
#include <limits>

#include "core/base64.h"

namespace cleave::quant {

namespace {

void append_number(std::string& bytes, std::uint64_t value) {
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(0x80U | (value & 0x7FU));
  bytes += static_cast<char>(value);
}

/// Reads numbers from bytes; remembers a failure instead of reporting it at each step.
class NumberSource {
 public:
  explicit NumberSource(std::string bytes) : bytes_(std::move(bytes)) {}

  bool done() const { return failed_ || at_ == bytes_.size(); }
  bool failed() const { return failed_; }

  std::uint64_t next() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 128) return value;
    }
    failed_ = true;
    return 0;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::string bins_to_text(const std::vector<FloatHistogram::Bin>& bins) {
  std::string bytes;
  std::uint64_t next_index = 0;
  for (std::size_t begin = 0; begin < bins.size();) {
    std::size_t end = begin + 1;
    while (end < bins.size() && bins[end].first == bins[end - 1].first + 1) ++end;
    append_number(bytes, bins[begin].first - next_index);
    append_number(bytes, end - begin);
    next_index = std::uint64_t{bins[end - 1].first} + 1;
    for (; begin < end; ++begin) append_number(bytes, bins[begin].second);
  }
  return to_base64(bytes);
}

std::optional<std::vector<FloatHistogram::Bin>> bins_from_text(std::string_view text) {
  std::optional<std::string> bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  NumberSource source(std::move(*bytes));
  std::vector<FloatHistogram::Bin> bins;
  std::uint64_t index = 0;
  while (!source.done()) {
    index += source.next();
    const std::uint64_t length = source.next();
    for (std::uint64_t i = 0; i < length && !source.failed(); ++i, ++index) {
      if (index > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
      bins.emplace_back(static_cast<std::uint32_t>(index), source.next());
    }
  }
  // What is not the canonical text (padding bits, an empty run, a split run) is not ours.
  if (source.failed() || bins_to_text(bins) != text) return std::nullopt;
  return bins;
}

}  // namespace cleave::quant
