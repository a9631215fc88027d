#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace cleave::config {

/// A JSON document by path or by preset name ("eyeriss" in kind "devices" is configs/devices/eyeriss.json, compiled
/// into the binary). An existing file wins. Throws Error(kUsage) with "did you mean" when there is neither.
struct Found {
  Json json;
  std::string origin;  ///< for messages
};
Found find_document(const std::string& kind, const std::string& name_or_path);

/// Names of the presets of a kind, sorted.
std::vector<std::string> preset_names(const std::string& kind);

}  // namespace cleave::config
