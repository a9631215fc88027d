#pragma once

#include <cstdint>
#include <vector>

#include "exec/step.h"

namespace cleave::exec {

/// A block of bytes that must stand still from step `first` to step `last`, both included.
struct Lifetime {
  std::int64_t bytes = 0;
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::int64_t offset = 0;  ///< the answer
};

/// Gives each block an offset (multiple of 64) so that blocks alive together never overlap: largest first, each at the
/// lowest free place. Returns the bytes needed.
/// Cost   O(n^2) for n blocks.
std::int64_t assign_offsets(std::vector<Lifetime>& blocks);

/// Lets steps write over dying inputs where they allow it, then places all arena buffers and sums up the scratch.
void plan_memory(Program& program);

}  // namespace cleave::exec
