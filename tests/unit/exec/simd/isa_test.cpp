#include <cstdlib>
#include <map>
#include <string>

#include "every_isa.h"

namespace cleave::exec::simd {
namespace {

TEST(Isa, IsLoweredWithOneDnn) {
  const char* cap = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (cap == nullptr) GTEST_SKIP() << "runs under ONEDNN_MAX_CPU_ISA";
  const std::map<std::string, Isa> widest{
      {"SSE41", Isa::kBaseline}, {"AVX2", Isa::kAvx2}, {"AVX512_CORE", Isa::kAvx512}};
  EXPECT_LE(best_isa(), widest.at(cap));
}

TEST(Isa, TheBestTableIsTheOneInUse) {
  EXPECT_EQ(&kernels(), &kernels(best_isa()));
}

class Peak : public OnEveryIsa {};

TEST_P(Peak, LoopsCountTheirOperations) {
  EXPECT_EQ(table().peak.float_multiply_add(200), 2 * table().peak.float_multiply_add(100));
  EXPECT_EQ(table().peak.code_dot_product(200), 2 * table().peak.code_dot_product(100));
}

TEST_P(Peak, ARoundOfCodesCountsAsManyTimesMoreAsCodesFitIntoTheLaneOfAFloat) {
  const double codes_per_lane = GetParam() == Isa::kAvx512Vnni ? 4 : 2;  // before VNNI codes are widened to 16 bits
  EXPECT_EQ(table().peak.code_dot_product(100), codes_per_lane * table().peak.float_multiply_add(100));
}

CLEAVE_ON_EVERY_ISA(Peak);

}  // namespace
}  // namespace cleave::exec::simd
