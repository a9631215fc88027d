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

CLEAVE_ON_EVERY_ISA(Peak);

}  // namespace
}  // namespace cleave::exec::simd
