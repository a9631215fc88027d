#include "cost/link.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"
#include "core/fingerprint.h"
#include "core/text.h"
#include "cost/quantity.h"

namespace cleave::cost {

namespace {

constexpr double kBytesPerMegabit = 1e6 / 8;
constexpr const char* kForm = "Write bandwidth[/round trip], such as 3mbps, 0.5mbps or 20mbps/50ms.";

/// The number before a unit ("3" of "3mbps"), or nothing when the text ends otherwise.
std::optional<double> number_before(std::string_view text, std::string_view unit) {
  if (text.size() <= unit.size() || !text.ends_with(unit)) return std::nullopt;
  return parse_number(text.substr(0, text.size() - unit.size()));
}

std::optional<double> parse_mbps(std::string_view text) {
  struct Scale {
    std::string_view unit;
    double mbps;
  };
  static constexpr std::array<Scale, 3> kScales{{{"kbps", 1e-3}, {"mbps", 1}, {"gbps", 1e3}}};
  for (const Scale& scale : kScales) {
    if (const auto number = number_before(text, scale.unit)) return *number * scale.mbps;
  }
  return std::nullopt;
}

void require(bool holds, const std::string& text, const std::string& rule) {
  if (!holds) throw Error(ErrorKind::kUsage, "link '" + text + "': " + rule, kForm);
}

}  // namespace

Link Link::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("link");
  Link link;
  link.name = reader.text("name");
  const double upload_mbps =
      positive(reader, "bandwidth_mbps", "Give the upload bandwidth in megabits (10^6 bits) per second, such as 3.");
  const double download_mbps =
      positive_or(reader, "download_mbps", upload_mbps, "Give megabits per second, or leave the key out: as upload.");
  link.upload_bytes_per_s = upload_mbps * kBytesPerMegabit;
  link.download_bytes_per_s = download_mbps * kBytesPerMegabit;
  link.rtt_s = non_negative_or(reader, "rtt_ms", 0, "Give the round trip in milliseconds, or leave the key out.") / 1e3;
  link.header_bytes = non_negative_or(reader, "header_bytes", 0, "Give the bytes that every request adds.");
  check_provenance(reader);
  reader.finish();
  link.fingerprint = json_fingerprint(json);
  return link;
}

std::optional<Link> parse_link(const std::string& text) {
  std::string lower = trim_text(text);
  if (lower.find("Bps") != std::string::npos) {
    throw Error(ErrorKind::kUsage, "link '" + text + "': B means bytes; links are given in bits", kForm);
  }
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::vector<std::string> parts = split_text(lower, '/');
  if (parts.empty() || parts.size() > 2) return std::nullopt;
  const auto mbps = parse_mbps(parts[0]);
  const auto rtt_ms = parts.size() == 2 ? number_before(parts[1], "ms") : std::optional<double>(0);
  if (!mbps || !rtt_ms) return std::nullopt;
  require(*mbps >= 1e-9 && *mbps <= 1e9, text, "the bandwidth must be from 1e-9 to 1e9 Mbps");
  require(*rtt_ms >= 0 && *rtt_ms <= 1e9, text, "the round trip must be from 0 to 1e9 ms");

  Link link;
  link.name = lower;
  link.upload_bytes_per_s = link.download_bytes_per_s = *mbps * kBytesPerMegabit;
  link.rtt_s = *rtt_ms / 1e3;
  link.fingerprint = sha256_hex("link " + lower);
  return link;
}

}  // namespace cleave::cost
