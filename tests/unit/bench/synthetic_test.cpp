#include "synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "search/solver.h"
#include "support/error_kind.h"

namespace cleave::bench {
namespace {

using search::Problem;

class SyntheticProblem : public ::testing::TestWithParam<BlockKind> {};
INSTANTIATE_TEST_SUITE_P(All, SyntheticProblem,
                         ::testing::Values(BlockKind::kChain, BlockKind::kResidual, BlockKind::kDense,
                                           BlockKind::kInception, BlockKind::kMixed),
                         [](const auto& kind) { return block_names()[static_cast<std::size_t>(kind.param)]; });

std::string text_of(const Problem& problem) {
  return to_text(problem.to_json());
}

std::size_t most_inputs(const Problem& problem) {
  std::size_t most = 0;
  for (const search::ProblemUnit& unit : problem.units) most = std::max(most, unit.inputs.size());
  return most;
}

std::size_t most_consumers(const Problem& problem) {
  std::size_t most = 0;
  for (const search::ProblemTensor& tensor : problem.tensors) most = std::max(most, tensor.consumers.size());
  return most;
}

TEST_P(SyntheticProblem, HasExactlyTheUnitsAskedFor) {
  for (const int units : {8, 9, 23, 64, 333, 1000}) {
    EXPECT_EQ(synthetic_problem(units, GetParam(), 1).units.size(), static_cast<std::size_t>(units));
  }
}

TEST_P(SyntheticProblem, IsTheSameBytesForTheSameSeedAndOthersForAnother) {
  const std::string text = text_of(synthetic_problem(60, GetParam(), 7));
  EXPECT_EQ(text, text_of(synthetic_problem(60, GetParam(), 7)));
  EXPECT_NE(text, text_of(synthetic_problem(60, GetParam(), 8)));
}

TEST_P(SyntheticProblem, IsReadBackAsItWasWritten) {
  const std::string text = text_of(synthetic_problem(60, GetParam(), 3));
  EXPECT_EQ(text, text_of(Problem::from_json(parse_json(text, "synthetic"), "synthetic")));
}

template <typename Option>
void expect_a_quarter_per_bit(const std::vector<Option>& options) {
  for (std::size_t i = 1; i < options.size(); ++i) {
    EXPECT_EQ(options[i].bits, options[i - 1].bits + 1);
    const double ratio = options[i - 1].distortion / options[i].distortion;
    EXPECT_GT(ratio, 4 * 0.875 / 1.125);
    EXPECT_LT(ratio, 4 * 1.125 / 0.875);
  }
}

TEST_P(SyntheticProblem, OffersTwoToEightBitsWhoseDistortionFallsFourfoldPerBit) {
  const Problem problem = synthetic_problem(40, GetParam(), 1);
  for (std::size_t t = 1; t < problem.tensors.size(); ++t) {
    EXPECT_EQ(problem.tensors[t].activation.size(), 7U);
    EXPECT_EQ(problem.tensors[t].wire.front().bits, 2);
    expect_a_quarter_per_bit(problem.tensors[t].activation);
    expect_a_quarter_per_bit(problem.tensors[t].wire);
  }
  for (const search::ProblemUnit& unit : problem.units) expect_a_quarter_per_bit(unit.weight);
}

TEST_P(SyntheticProblem, HasTensorsThatShrinkAndWeightsThatGrow) {
  const Problem problem = synthetic_problem(200, GetParam(), 1);
  const auto elements = [&problem](const char* name) {
    const auto found = std::find_if(problem.tensors.begin(), problem.tensors.end(),
                                    [name](const auto& tensor) { return tensor.name == name; });
    return found == problem.tensors.end() ? 0 : found->elements;
  };
  EXPECT_EQ(elements("image"), 3 * 224 * 224);
  EXPECT_EQ(elements("stem"), 64 * 112 * 112);
  EXPECT_EQ(elements("pool"), 1024);
  EXPECT_EQ(elements("classifier"), 1000);
  EXPECT_EQ(problem.units.front().weight.back().bytes, 3 * 64 * 7 * 7);
  EXPECT_EQ(problem.units.back().weight.back().bytes, 1024 * 1000);
}

TEST_P(SyntheticProblem, IsSplitInTheMiddleBecauseItsLimitsBind) {
  const Problem problem = synthetic_problem(60, GetParam(), 1);
  Problem free = problem;
  free.limits = {};
  const search::Outcome held = search::solve(problem, "lagrange");
  const search::Outcome freed = search::solve(free, "lagrange");
  EXPECT_NE(held.status, search::Status::kInfeasible);
  EXPECT_GT(freed.evaluation.distortion, *problem.limits.distortion);
  EXPECT_GT(freed.evaluation.weight_bytes + freed.evaluation.activation_bytes, *problem.limits.edge_memory_bytes);
  EXPECT_GT(held.evaluation.latency_s, 1.05 * freed.evaluation.latency_s);
  const auto edge = std::count(held.decision.on_edge.begin(), held.decision.on_edge.end(), true);
  EXPECT_GT(edge, 6);
  EXPECT_LT(edge, 54);
}

TEST(SyntheticBlocks, HaveTheInputsAndConsumersOfTheirKind) {
  const auto branches = [](BlockKind kind) {
    const Problem problem = synthetic_problem(100, kind, 1);
    return std::pair(most_inputs(problem), most_consumers(problem));
  };
  EXPECT_EQ(branches(BlockKind::kChain), std::pair(std::size_t{1}, std::size_t{1}));
  EXPECT_EQ(branches(BlockKind::kResidual), std::pair(std::size_t{2}, std::size_t{2}));
  EXPECT_EQ(branches(BlockKind::kDense), std::pair(std::size_t{4}, std::size_t{4}));
  EXPECT_EQ(branches(BlockKind::kInception), std::pair(std::size_t{4}, std::size_t{4}));
}

TEST(SyntheticBlocks, AreFoundByName) {
  for (const char* name : block_names()) {
    EXPECT_STREQ(block_names()[static_cast<std::size_t>(block_from_name(name))], name);
  }
  EXPECT_EQ(testing::kind_of([] { block_from_name("chains"); }), ErrorKind::kUsage);
  EXPECT_EQ(testing::kind_of([] { synthetic_problem(7, BlockKind::kChain, 1); }), ErrorKind::kUsage);
}

}  // namespace
}  // namespace cleave::bench
