#include <gtest/gtest.h>

#include <algorithm>

#include "search/solver.h"
#include "support/shared.h"
#include "unit/cost/golden_csv.h"

namespace cleave::search {
namespace {

using cleave::testing::shared_dir;
using cost::testing::integer;
using cost::testing::number;
using cost::testing::read_csv;
using cost::testing::Row;

/// The released simulator's splits of a network (first row: nothing on the edge) as a chain: each unit takes what its
/// row adds on the edge and takes off the cloud, and what crosses after it is one tensor.
Problem chain_of(const std::vector<Row>& splits, double bytes_per_s) {
  Problem p;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const std::int64_t bytes = integer(splits[i], "tr_bits") / 8;
    ProblemTensor tensor;
    tensor.name = "t" + std::to_string(i);
    tensor.elements = bytes;
    tensor.activation = {{8, 0}};
    tensor.wire = {{8, bytes, 0}};
    p.tensors.push_back(tensor);
    if (i == 0) continue;
    ProblemUnit unit;
    unit.name = splits[i].at("name");
    unit.inputs = {static_cast<int>(i) - 1};
    unit.outputs = {static_cast<int>(i)};
    unit.weight = {{0, 0, 0}};
    unit.edge_s = {{0, {{8, number(splits[i], "edge_sec") - number(splits[i - 1], "edge_sec")}}}};
    unit.cloud_s = std::max(0.0, number(splits[i - 1], "cloud_sec") - number(splits[i], "cloud_sec"));
    p.units.push_back(unit);
  }
  p.inputs = {0};
  p.outputs = {static_cast<int>(splits.size()) - 1};
  p.result_at = ResultAt::kCloud;
  p.link = {bytes_per_s, 0, 0, bytes_per_s, 0};
  p.finish();
  return p;
}

TEST(Partitioners, FindTheLeastOfThePublishedSplits) {
  CLEAVE_NEEDS_SHARED();
  for (const char* network :
       {"resnet18", "resnet50", "resnext50_32x4d", "mobilenet_v2", "vgg16", "yolov3-416", "yolov3-spp-416"}) {
    const auto splits =
        read_csv(shared_dir() / "golden/autosplit_latency" / (std::string(network) + "_splits_w8a8.csv"));
    for (const int mbps : {1, 3, 10, 20}) {
      const std::string column = "total_sec_" + std::to_string(mbps) + "Mbps";
      const auto least = std::min_element(splits.begin(), splits.end(), [&column](const Row& a, const Row& b) {
        return number(a, column) < number(b, column);
      });
      const Problem problem = chain_of(splits, mbps * 1048576.0 / 8);
      for (const char* solver : {"neurosurgeon", "dads", "qdmp"}) {
        for (const Pricing pricing : {Pricing::kExact, Pricing::kSingleTensor}) {
          SolveOptions options;
          options.pricing = pricing;
          const Outcome outcome = solve(problem, solver, options);
          EXPECT_NEAR(outcome.evaluation.latency_s, number(*least, column), 1e-9) << network << ", " << mbps << " Mbps";
          const auto on_edge = std::count(outcome.decision.on_edge.begin(), outcome.decision.on_edge.end(), true);
          EXPECT_EQ(on_edge, integer(*least, "split_idx") + 1) << network << ", " << mbps << " Mbps, " << solver;
        }
      }
    }
  }
}

}  // namespace
}  // namespace cleave::search
