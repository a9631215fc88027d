#include "quant/clipped_normal.h"

#include <gtest/gtest.h>

#include "golden.h"

namespace cleave::quant {
namespace {

TEST(ClippedNormal, HasTheReferencesMeans) {
  CLEAVE_NEEDS_SHARED();
  const Json document = testing::golden("clipped_normal_mean.json");
  ASSERT_FALSE(document.at("rows").empty());
  for (const Json& row : document.at("rows")) {
    const double mean = row.at("beta");
    const double deviation = row.at("gamma");
    SCOPED_TRACE(row.dump());
    const double relu = row.at("relu");
    const double relu6 = row.at("relu6");
    EXPECT_NEAR(clipped_normal_mean(mean, deviation), relu, 1e-9 * relu + 1e-15);
    EXPECT_NEAR(clipped_normal_mean(mean, deviation, 6), relu6, 1e-9 * relu6 + 1e-15);
  }
}

TEST(ClippedNormal, WithoutDeviationIsTheClampedMean) {
  EXPECT_EQ(clipped_normal_mean(-1, 0), 0);
  EXPECT_EQ(clipped_normal_mean(2, 0), 2);
  EXPECT_EQ(clipped_normal_mean(9, 0, 6), 6);
}

}  // namespace
}  // namespace cleave::quant
