#pragma once

#include <map>
#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "exec/session.h"
#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/model.h"
#include "quant/calibration_table.h"
#include "search/plan.h"

namespace cleave::bundle::testing {

/// Values in [-1, 1) from a fixed generator.
Tensor random_tensor(Shape shape, unsigned seed);

/// Conv-Relu, MaxPool, Conv-Clip(0, 6), global average, Flatten, Gemm; input "x" N x 3 x 9 x 7 with a symbolic batch.
graph::Graph chain_network(unsigned seed, bool symbolic_batch = true);
/// Two residual blocks with a Concat; input "x" N x 3 x 8 x 8, outputs "y" (Gemm) and "features" (the second block).
graph::Graph residual_network(unsigned seed, bool symbolic_batch = true);

/// The same network as a file would give it.
graph::Model as_model(const graph::Graph& graph);

/// A table over a few samples, taken with the reference kernels (or the fast ones for real networks).
quant::CalibrationTable calibrated(const graph::Model& model, const graph::Graph& prepared,
                                   const std::vector<std::vector<Tensor>>& samples,
                                   exec::Kernels kernels = exec::Kernels::kReference);

struct PlanBits {
  int weight = 8;
  int activation = 8;
  int wire = 4;
  std::string result_at = "anywhere";
};
/// The plan that decides everything at these bits for a cut.
search::Plan plan_for(const graph::Graph& prepared, const graph::Cut& cut, const quant::CalibrationTable& table,
                      const PlanBits& bits = {});

/// A network with everything that an export needs.
struct Case {
  graph::Model model;
  graph::Graph prepared;
  std::vector<std::vector<Tensor>> samples;
  quant::CalibrationTable table;

  SplitBundle split(const graph::Cut& cut, const PlanBits& bits = {}, const ExportOptions& options = {}) const;
};
Case make_case(const graph::Graph& network, unsigned seed, int samples = 4);

/// Cuts after the first `units` units of the schedule.
graph::Cut prefix(const graph::Graph& graph, std::size_t units);

/// Tensors of a graph's inputs by name.
std::map<std::string, Tensor> named_inputs(const graph::Graph& graph, const std::vector<Tensor>& values);

/// Those of `tensors` that the graph takes.
std::map<std::string, Tensor> only_inputs(const std::map<std::string, Tensor>& tensors, const graph::Graph& graph);

/// Largest difference in units of the expected tensor's range.
double relative_error(const Tensor& got, const Tensor& expected);

/// Packed tensors of two runs: at most 0.1 % of the codes differ, each by one.
void expect_codes_agree(const std::vector<WireTensor>& wire, const std::map<std::string, Tensor>& ours,
                        const std::map<std::string, Tensor>& theirs);

}  // namespace cleave::bundle::testing
