#include "quant/equalization.h"

#include <cmath>

#include "core/check.h"

namespace cleave::quant {

std::vector<double> pair_equalizers(std::span<const double> first, std::span<const double> second) {
  CLEAVE_CHECK(first.size() == second.size(), "both sides have the same channels");
  std::vector<double> factors(first.size(), 1);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (first[i] > 0 && second[i] > 0) factors[i] = std::sqrt(first[i] * second[i]) / second[i];
  }
  return factors;
}

TripleEqualizers triple_equalizers(std::span<const double> first, std::span<const double> middle,
                                   std::span<const double> last) {
  CLEAVE_CHECK(first.size() == middle.size() && middle.size() == last.size(), "all have the same channels");
  TripleEqualizers factors{std::vector<double>(first.size(), 1), std::vector<double>(first.size(), 1)};
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double shared = std::cbrt(first[i] * middle[i] * last[i]);
    if (!(shared > 0)) continue;
    factors.first[i] = first[i] / shared;
    factors.second[i] = shared / last[i];
  }
  return factors;
}

}  // namespace cleave::quant
