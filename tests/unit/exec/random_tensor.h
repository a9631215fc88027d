#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace cleave::exec::testing {

/// Numbers that depend on the seed only, whatever the platform.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t next();
  /// Uniform in [low, high).
  double between(double low, double high);
  std::int64_t integer(std::int64_t low, std::int64_t high);  ///< both included

 private:
  std::uint64_t state_;
};

/// float32 in [low, high).
Tensor random_floats(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1);

/// Any number type; integers in [low, high].
Tensor random_tensor(DType dtype, const Shape& shape, std::uint64_t seed, double low = -1, double high = 1);

/// max |a - b| over (max - min) of b (1 when b is constant); infinite when types, shapes or NaNs differ.
double relative_difference(const Tensor& a, const Tensor& b);

}  // namespace cleave::exec::testing
