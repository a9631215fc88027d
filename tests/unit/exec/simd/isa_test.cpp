#include <cstdlib>
#include <string>

#include "every_isa.h"

namespace cleave::exec::simd {
namespace {

TEST(Isa, IsLoweredWithOneDnn) {
  const char* cap = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (cap == nullptr) GTEST_SKIP() << "runs under ONEDNN_MAX_CPU_ISA";
  const std::string name = cap;
  if (name == "SSE41") EXPECT_EQ(best_isa(), Isa::kBaseline);
  if (name == "AVX2") EXPECT_LE(best_isa(), Isa::kAvx2);
  if (name == "AVX512_CORE") EXPECT_LE(best_isa(), Isa::kAvx512);
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
