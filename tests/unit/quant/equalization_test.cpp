#include "quant/equalization.h"

#include <gtest/gtest.h>

#include "unit/quant/golden.h"

namespace cleave::quant {
namespace {

using testing::golden;
using Numbers = std::vector<double>;

void expect_near(const Numbers& got, const Numbers& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5 * std::abs(expected[i])) << i;
}

struct Golden {
  Json json = golden("cle_conv0_dw0_pw.json");
  Numbers at(const char* key) const { return json.at(key).get<Numbers>(); }
};

TEST(Equalization, GivesTheGoldenFactorsOfTwoLayers) {
  CLEAVE_NEEDS_SHARED();
  const Golden golden;
  expect_near(pair_equalizers(golden.at("r1"), golden.at("r2")), golden.at("two_layer_s"));
}

TEST(Equalization, GivesTheGoldenFactorsRangesAndBiasesOfThreeLayers) {
  CLEAVE_NEEDS_SHARED();
  const Golden golden;
  const Numbers r1 = golden.at("r1");
  const Numbers r2 = golden.at("r2");
  const Numbers r3 = golden.at("r3");
  const TripleEqualizers factors = triple_equalizers(r1, r2, r3);
  expect_near(factors.first, golden.at("s12"));
  expect_near(factors.second, golden.at("s23"));
  Numbers b1 = golden.at("b1");
  Numbers b2 = golden.at("b2");
  Numbers ranges[3];
  for (std::size_t i = 0; i < r1.size(); ++i) {
    ranges[0].push_back(r1[i] / factors.first[i]);
    ranges[1].push_back(r2[i] * factors.first[i] / factors.second[i]);
    ranges[2].push_back(r3[i] * factors.second[i]);
    b1[i] /= factors.first[i];
    b2[i] /= factors.second[i];
  }
  for (const Numbers& range : ranges) expect_near(range, golden.at("equalised_range"));
  expect_near(b1, golden.at("b1_three"));
  expect_near(b2, golden.at("b2_three"));
}

TEST(Equalization, MakesTheLargestWeightsOfBothSidesEqual) {
  const Numbers s = pair_equalizers(Numbers{8, 1, 3}, Numbers{2, 1, 12});
  expect_near(s, {2, 1, 0.5});  // both sides: 4, 1, 6
}

TEST(Equalization, LeavesChannelsWithoutWeightsAlone) {
  EXPECT_EQ(pair_equalizers(Numbers{0, 4}, Numbers{1, 0}), (Numbers{1, 1}));
  const TripleEqualizers factors = triple_equalizers(Numbers{0, 1, 1}, Numbers{1, 0, 1}, Numbers{1, 1, 0});
  EXPECT_EQ(factors.first, (Numbers{1, 1, 1}));
  EXPECT_EQ(factors.second, (Numbers{1, 1, 1}));
}

}  // namespace
}  // namespace cleave::quant
