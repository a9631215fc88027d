#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace cleave::exec {

// What support checks (support_checks.h) are put together from.

/// Why a node cannot run, or empty.
using Reason = std::optional<std::string>;

/// The first reason that is there.
Reason first_of(std::initializer_list<Reason> reasons);

Reason wrong_type(const graph::TensorInfo& tensor);
Reason wrong_shape(const graph::TensorInfo& tensor);

/// An attribute that must be one of the words known.
Reason check_word(const graph::Node& node, const std::string& key, const std::string& fallback,
                  std::initializer_list<std::string_view> known);

/// An input that may be left out must have this type and shape; -1 fits every size.
struct Expected {
  std::size_t input = 0;
  DType dtype = DType::kFloat32;
  Shape shape;
};

Reason check_inputs(const graph::Graph& graph, const graph::Node& node, const std::vector<Expected>& list);

}  // namespace cleave::exec
