#include "every_isa.h"
#include "random_codes.h"

namespace cleave::exec::simd {
namespace {

template <typename Code>
PairOfCodes some_pair() {
  if (std::numeric_limits<Code>::min() < 0) return {0.031F, -5, 0.007F, 12, 0.043F, {3, -128, 127}};
  return {0.02F, 131, 0.05F, 7, 0.061F, {100, 3, 250}};
}

float value_a(int code, const PairOfCodes& p) {
  return static_cast<float>(code - p.zero_point_a) * p.scale_a;
}
float value_b(int code, const PairOfCodes& p) {
  return static_cast<float>(code - p.zero_point_b) * p.scale_b;
}

class CodeArithmetic : public OnEveryIsa {
 protected:
  template <typename Code>
  void check_runs() {
    const PairOfCodes pair = some_pair<Code>();
    for (const std::int64_t n : kLengths) {
      const auto a = random_codes<Code>(n, 1);
      const auto b = random_codes<Code>(n, 2);
      std::vector<Code> sum(n + 1, Code{99});
      std::vector<Code> product(n + 1, Code{99});
      code<Code>().add(a.data(), b.data(), n, pair, sum.data());
      code<Code>().multiply(a.data(), b.data(), n, pair, product.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const float x = value_a(a[i], pair);
        const float y = value_b(b[i], pair);
        ASSERT_EQ(sum[i], rounded_code((x + y) / pair.scale_out, pair.out)) << n << " " << i;
        ASSERT_EQ(product[i], rounded_code(x * y / pair.scale_out, pair.out)) << n << " " << i;
      }
      ASSERT_EQ(sum[n], Code{99});
      ASSERT_EQ(product[n], Code{99});
    }
  }

  template <typename Code>
  void check_rows() {
    const PairOfCodes pair = some_pair<Code>();
    for (const std::int64_t channels : {1, 3, 16, 37, 144}) {
      const auto a = random_codes<Code>(5 * channels, 3);
      const auto b = random_codes<Code>(channels, 4);
      std::vector<Code> sum(a.size());
      std::vector<Code> product(a);  // in place
      code<Code>().add_to_rows(a.data(), b.data(), 5, channels, pair, sum.data());
      code<Code>().multiply_rows(product.data(), b.data(), 5, channels, pair, product.data());
      for (std::size_t i = 0; i < a.size(); ++i) {
        const float x = value_a(a[i], pair);
        const float y = value_b(b[i % channels], pair);
        ASSERT_EQ(sum[i], rounded_code((x + y) / pair.scale_out, pair.out));
        ASSERT_EQ(product[i], rounded_code(x * y / pair.scale_out, pair.out));
      }
    }
  }
};

TEST_P(CodeArithmetic, RunsAreDequantizeOperateQuantize) {
  check_runs<std::uint8_t>();
  check_runs<std::int8_t>();
}

TEST_P(CodeArithmetic, RowsUseOneCodePerChannel) {
  check_rows<std::uint8_t>();
  check_rows<std::int8_t>();
}

TEST_P(CodeArithmetic, LookupReadsTheTable) {
  const auto entries = random_codes<std::uint8_t>(256, 5);
  for (const std::int64_t n : kLengths) {
    const auto in = random_codes<std::uint8_t>(n, 6);
    std::vector<std::uint8_t> out(n + 1, 99);
    table().lookup(in.data(), n, entries.data(), out.data());
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(out[i], entries[in[i]]);
    ASSERT_EQ(out[n], 99);
  }
}

CLEAVE_ON_EVERY_ISA(CodeArithmetic);

}  // namespace
}  // namespace cleave::exec::simd
