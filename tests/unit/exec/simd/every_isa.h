#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::simd {

/// Every instruction set that kernels can run with here, narrowest first.
inline std::vector<Isa> every_isa() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni}) {
    if (isa <= best_isa()) isas.push_back(isa);
  }
  return isas;
}

/// A test per instruction set: TEST_P(Suite, ...) uses table() and code<T>().
class OnEveryIsa : public testing::TestWithParam<Isa> {
 protected:
  const KernelTable& table() const { return kernels(GetParam()); }
  template <typename Code>
  const CodeKernels<Code>& code() const {
    return code_kernels<Code>(table());
  }
};

}  // namespace cleave::exec::simd

#define CLEAVE_ON_EVERY_ISA(suite)                                                                 \
  INSTANTIATE_TEST_SUITE_P(Simd, suite, testing::ValuesIn(::cleave::exec::simd::every_isa()),      \
                           [](const testing::TestParamInfo<::cleave::exec::simd::Isa>& instance) { \
                             return std::string(::cleave::exec::simd::name_of(instance.param));    \
                           })
