#pragma once

#include <span>
#include <string_view>

namespace cleave::config {

/// A file of configs/, compiled into the binary by embed.cmake.
struct EmbeddedFile {
  std::string_view kind;  ///< its folder
  std::string_view name;  ///< without ".json"
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace cleave::config
