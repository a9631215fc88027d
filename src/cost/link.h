#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"

namespace cleave::cost {

/// A link file (configs/links/*.json, schema cleave.link/1): bandwidth_mbps (upload), download_mbps (default: the
/// same), rtt_ms, header_bytes (per request, default 0). Mbps = 10^6 bit/s.
struct Link {
  std::string name;
  double upload_bytes_per_s = 0;
  double download_bytes_per_s = 0;
  double rtt_s = 0;
  double header_bytes = 0;
  std::string fingerprint;

  /// Throws Error(kInvalidInput) with the place and the way out: unknown keys, a bandwidth that is not positive, ...
  static Link from_json(const Json& json, const std::string& origin);
};

/// "3mbps", "0.5mbps", "20mbps/50ms" (bandwidth / round trip; kbps and gbps too): the same both ways, no header.
/// Empty when the text has another form. Throws Error(kUsage) when it has this form but the numbers make no link.
std::optional<Link> parse_link(const std::string& text);

}  // namespace cleave::cost
