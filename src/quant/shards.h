#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cleave::quant {

/// Which shares of a run over images an artefact holds.
struct Shards {
  std::int64_t count = 1;                   ///< 1: complete
  std::vector<std::int64_t> indices = {0};  ///< of 0..count-1, ascending

  bool complete() const { return count == 1; }
  /// "0,2 of 3".
  std::string text() const;
  /// Takes in the other's; complete when none is missing then. Two complete ones stay complete.
  /// Throws Error(kInvalidInput) when they are of different runs or have a share in common.
  void merge(const Shards& other);
  bool operator==(const Shards&) const = default;
};

}  // namespace cleave::quant
