#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/file.h"

namespace cleave::graph {

/// How a path is kept inside a folder: by the kernel, or by walking it part by part (older kernels, sandboxes).
enum class PathGuard { kKernel, kWalk };

/// Opens `location` below `folder` for reading and returns the descriptor. No part of the location may be "..",
/// absolute or a symbolic link; the file must be regular and have one name only (no hard links).
/// Throws Error(kInvalidInput) naming the location.
int open_beneath(const std::filesystem::path& folder, const std::string& location,
                 PathGuard guard = PathGuard::kKernel);

/// The external data files of one model, each mapped once.
class ExternalData {
 public:
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  struct Piece {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };

  /// `length` bytes (default: up to the end) from `offset` of the file.
  /// Throws Error(kInvalidInput) for an escaping location or a piece outside the file.
  Piece read(const std::string& location, std::int64_t offset, std::optional<std::int64_t> length);

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

}  // namespace cleave::graph
