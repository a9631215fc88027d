#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "graph/builder.h"
#include "graph/graph.h"

namespace cleave::graph::testing {

/// Uniform floats in [low, high), the same for the same seed.
Tensor random_tensor(const Shape& shape, std::uint32_t seed, float low = -1.0F, float high = 1.0F);
Tensor ints(const std::vector<std::int64_t>& values);

/// One random tensor per network input (symbolic dimensions as 1).
std::map<std::string, Tensor> random_inputs(const Graph& graph, std::uint32_t seed);

/// Runs a graph in ONNX Runtime, optimisations off.
std::map<std::string, Tensor> run(const Graph& graph, const std::map<std::string, Tensor>& inputs);

/// Largest difference over all outputs, relative to the range of the expected values; infinite when names, types or
/// shapes differ.
double difference(const std::map<std::string, Tensor>& expected, const std::map<std::string, Tensor>& got);

/// Every .onnx file among the shared networks, by name.
std::vector<std::filesystem::path> real_models();

/// The error that an action throws. Fails the test (and returns a usage error) when it throws none.
Error error_of(const std::function<void()>& action);

bool contains(const std::string& text, const std::string& part);

/// How often the operator occurs.
int count_op(const Graph& graph, const std::string& op);

}  // namespace cleave::graph::testing
