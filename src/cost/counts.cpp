#include "cost/counts.h"

#include "core/error.h"

namespace cleave::cost {

namespace {

[[noreturn]] void too_large() {
  throw Error(ErrorKind::kUnsupported, "the work of a unit does not fit in 64 bits",
              "Give smaller input shapes (--shape name=1x3x224x224).");
}

}  // namespace

std::int64_t checked_product(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) too_large();
  }
  return product;
}

std::int64_t checked_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) too_large();
  return sum;
}

}  // namespace cleave::cost
