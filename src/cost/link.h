#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"

namespace cleave::cost {

/// A link file (configs/links/*.json, schema cleave.link/1). Mbps = 10^6 bit/s.
struct Link {
  std::string name;
  double upload_bytes_per_s = 0;
  double download_bytes_per_s = 0;
  double rtt_s = 0;
  double header_bytes = 0;
  std::string fingerprint;

  static Link from_json(const Json& json, const std::string& origin);
};

/// "3mbps", "20mbps/50ms", ... when the text has that form and names no preset.
std::optional<Link> parse_link(const std::string& text);

}  // namespace cleave::cost
