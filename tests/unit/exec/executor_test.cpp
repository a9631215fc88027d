#include "exec/executor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "exec/compiler.h"
#include "exec/fold_constants.h"
#include "exec/kernels/fast/reorder.h"
#include "random_tensor.h"
#include "small_networks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using testing::random_floats;

Program compiled(const Graph& graph, const FoldedConstants& folded, Kernels kernels) {
  return compile({graph, folded, kernels, {}, kernels == Kernels::kFast ? fast::make_dnnl_state() : nullptr});
}

std::vector<std::string> step_names(const Program& program) {
  std::vector<std::string> names;
  for (const ScheduledStep& step : program.steps) names.push_back(step_name(step));
  return names;
}

TEST(Executor, NamesItsStepsByOperatorAndImplementation) {
  const Graph graph = testing::residual_block();
  const FoldedConstants folded(graph);
  const auto plain = step_names(compiled(graph, folded, Kernels::kReference));
  EXPECT_EQ(plain, (std::vector<std::string>{"Conv reference", "Relu reference", "Conv reference", "Add reference",
                                             "Relu reference"}));
  const auto fast = step_names(compiled(graph, folded, Kernels::kFast));
  EXPECT_EQ(std::count_if(fast.begin(), fast.end(), [](const auto& name) { return name.rfind("Conv ", 0) == 0; }), 2);
  EXPECT_EQ(fast.front().rfind("Reorder ", 0), 0u) << fast.front();
}

TEST(Executor, CallsTheHookBeforeTheFirstAndAfterEachStep) {
  struct Counter : RunHook {
    std::vector<std::int32_t> steps;
    void after(std::int32_t step, std::span<std::byte* const>) override { steps.push_back(step); }
  } counter;
  const Graph graph = testing::residual_block();
  const FoldedConstants folded(graph);
  Executor executor(compiled(graph, folded, Kernels::kReference));
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 3)};
  std::vector<Tensor> outputs;
  executor.fit_outputs(outputs);
  executor.run(inputs, outputs, &counter);
  EXPECT_EQ(counter.steps, (std::vector<std::int32_t>{-1, 0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace cleave::exec
