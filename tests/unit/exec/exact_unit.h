#pragma once

#include <map>
#include <optional>
#include <string>

#include "graph/graph.h"

namespace cleave::exec::testing {

/// One element at a time of a unit of a quantized network, computed in double from the codes that it reads: what the
/// scales and codes mean, rounded nowhere but at the end.
class ExactUnit {
 public:
  /// `codes` holds the unit's inputs by name; both must outlive this.
  ExactUnit(const graph::Graph& unit, const std::map<std::string, Tensor>& codes) : unit_(unit), codes_(codes) {}

  /// The code at this place of the unit's output; nothing when the unit holds an operator not known here.
  std::optional<int> code(std::int64_t place) const;

 private:
  std::optional<double> value(graph::TensorId id, std::int64_t place) const;
  std::optional<double> made(const graph::Node& node, std::int64_t place) const;
  std::optional<double> dequantized(const graph::Node& node, std::int64_t place) const;
  std::optional<double> convolved(const graph::Node& node, std::int64_t place) const;

  const graph::Graph& unit_;
  const std::map<std::string, Tensor>& codes_;
};

}  // namespace cleave::exec::testing
