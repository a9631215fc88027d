#include "exec/peak.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cleave::exec {
namespace {

// Which of the two is larger depends on the machine and on what else it does; what a round of each loop counts, and
// that codes count more, is tested with the kernels (Simd/Peak).
TEST(Peak, MeasuresBothArithmeticsAndNamesTheInstructionSet) {
  const Peak peak = measure_peak(2);
  EXPECT_FALSE(peak.isa.empty());
  for (const double rate : {peak.float_macs_per_s, peak.code_macs_per_s}) {
    EXPECT_TRUE(std::isfinite(rate));
    EXPECT_GT(rate, 0);
  }
}

}  // namespace
}  // namespace cleave::exec
