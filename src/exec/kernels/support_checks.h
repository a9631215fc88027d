#pragma once

#include <optional>
#include <string>
#include <string_view>

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
std::optional<std::string> check_conv_integer(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_matmul_integer(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_qlinear_conv(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_qlinear_matmul(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_pad(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_cast(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_dropout(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_constant(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_recurrent(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_grid_sample(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_roi_align(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_max_roi_pool(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_max_unpool(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_top_k(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_layer_normalization(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_group_normalization(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_dft(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_stft(const graph::Graph& graph, const graph::Node& node);
std::optional<std::string> check_mel_weights(const graph::Graph& graph, const graph::Node& node);
/// "sequences", "optional values" or "strings" for operators that work on these, which cleave does not hold.
std::optional<std::string> foreign_values(const std::string& op);
/// Further outputs (Dropout's mask, ...) must be left out or unused.
std::optional<std::string> only_first_output(const graph::Graph& graph, const graph::Node& node);

/// What such a check refuses, for docs/operators.md. Empty for nullptr.
std::string_view limits_of(SupportCheck check);

}  // namespace cleave::exec
