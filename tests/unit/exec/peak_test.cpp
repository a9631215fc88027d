#include "exec/peak.h"

#include <gtest/gtest.h>

namespace cleave::exec {
namespace {

TEST(Peak, CodesAreMultipliedFasterThanFloats) {
  const Peak peak = measure_peak(1);
  EXPECT_GT(peak.float_macs_per_s, 1e8);
  EXPECT_GT(peak.code_macs_per_s, peak.float_macs_per_s);  // twice as many fit in a vector
}

}  // namespace
}  // namespace cleave::exec
