#pragma once

#include <cstddef>
#include <cstdint>

namespace cleave::graph {

/// Position of a tensor, node or unit in its graph; distinct types, so that one is never taken for another.
enum class TensorId : std::int32_t { kNone = -1 };  ///< kNone: an optional input or output that is left out
enum class NodeId : std::int32_t {};
enum class UnitId : std::int32_t {};

constexpr std::size_t index(TensorId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(NodeId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(UnitId id) {
  return static_cast<std::size_t>(id);
}

}  // namespace cleave::graph
