#pragma once

#include <algorithm>
#include <cstdint>

namespace cleave::exec {

/// Calls body(begin, count) for pieces of `count` items of `item_bytes` each, on all threads when there is enough.
template <typename Body>
void in_pieces(std::int64_t count, std::int64_t item_bytes, Body&& body) {
  constexpr std::int64_t kPieceBytes = 32768;  // an L1 cache's worth
  const std::int64_t piece = std::max<std::int64_t>(1, kPieceBytes / std::max<std::int64_t>(1, item_bytes));
  const std::int64_t pieces = (count + piece - 1) / piece;
#pragma omp parallel for schedule(static) if (pieces > 2)
  for (std::int64_t p = 0; p < pieces; ++p) body(p * piece, std::min(piece, count - p * piece));
}

}  // namespace cleave::exec
