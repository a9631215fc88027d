#pragma once

#include <optional>
#include <string>

#include "exec/kernels/operator_table.h"
#include "graph/graph.h"

namespace cleave::exec {

// Support checks for the operator table (see SupportCheck).

std::optional<std::string> check_convolution(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_pooling(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_batch_normalization(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_resize(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_quantize(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_scatter(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_one_hot(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_cast(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_dropout(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_constant(const graph::Graph& graph, const graph::Node& node);
/// Further outputs (Dropout's mask, ...) must be left out or unused.
std::optional<std::string> only_first_output(const graph::Graph& graph, const graph::Node& node);

/// What such a check refuses, for docs/operators.md. Empty for nullptr.
std::string_view limits_of(SupportCheck check);

}  // namespace cleave::exec
