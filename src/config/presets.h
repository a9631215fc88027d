#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/json.h"

namespace cleave::config {

/// A JSON document and where it came from.
struct Found {
  std::shared_ptr<const Json> document;
  const Json& json;    ///< *document
  std::string origin;  ///< for messages: the path, or that of the preset in the source tree
};

/// A JSON document by path or by preset name ("eyeriss" of kind "devices" is configs/devices/eyeriss.json, compiled
/// into the binary). An existing file wins; a folder is no file.
/// Throws Error(kUsage) with "did you mean" and the list when there is neither, Error(kIo | kInvalidInput) for a file
/// that cannot be read or is not JSON.
Found find_document(const std::string& kind, const std::string& name_or_path);

/// Names of the presets of a kind, sorted.
std::vector<std::string> preset_names(const std::string& kind);

}  // namespace cleave::config
