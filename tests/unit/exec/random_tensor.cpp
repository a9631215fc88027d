#include "random_tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace cleave::exec::testing {
namespace {

template <typename T>
Tensor filled(const Shape& shape, std::uint64_t seed, double low, double high) {
  Tensor tensor(dtype_of<T>(), shape);
  Numbers numbers(seed);
  for (T& value : tensor.mutable_data<T>()) {
    if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<T>(numbers.between(low, high));
    } else {
      value = static_cast<T>(numbers.integer(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
    }
  }
  return tensor;
}

template <typename T>
std::vector<double> doubles_of(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

/// For types without numbers of their own: equal bytes are equal values.
std::vector<double> bytes_of(const Tensor& tensor) {
  std::vector<double> values;
  for (const std::byte byte : tensor.raw()) values.push_back(static_cast<double>(byte));
  return values;
}

std::vector<double> as_doubles(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return doubles_of<float>(tensor);
    case DType::kFloat64:
      return doubles_of<double>(tensor);
    case DType::kInt32:
      return doubles_of<std::int32_t>(tensor);
    case DType::kInt64:
      return doubles_of<std::int64_t>(tensor);
    case DType::kUint8:
      return doubles_of<std::uint8_t>(tensor);
    case DType::kInt8:
      return doubles_of<std::int8_t>(tensor);
    case DType::kUint16:
      return doubles_of<std::uint16_t>(tensor);
    case DType::kInt16:
      return doubles_of<std::int16_t>(tensor);
    case DType::kBool:
      return doubles_of<bool>(tensor);
    default:
      return bytes_of(tensor);
  }
}

}  // namespace

// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t Numbers::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

double Numbers::between(double low, double high) {
  return low + (high - low) * static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::int64_t Numbers::integer(std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
}

Tensor random_floats(const Shape& shape, std::uint64_t seed, double low, double high) {
  return filled<float>(shape, seed, low, high);
}

Tensor random_tensor(DType dtype, const Shape& shape, std::uint64_t seed, double low, double high) {
  switch (dtype) {
    case DType::kFloat32:
      return filled<float>(shape, seed, low, high);
    case DType::kFloat64:
      return filled<double>(shape, seed, low, high);
    case DType::kInt32:
      return filled<std::int32_t>(shape, seed, low, high);
    case DType::kInt64:
      return filled<std::int64_t>(shape, seed, low, high);
    case DType::kUint8:
      return filled<std::uint8_t>(shape, seed, low, high);
    case DType::kInt8:
      return filled<std::int8_t>(shape, seed, low, high);
    case DType::kUint16:
      return filled<std::uint16_t>(shape, seed, low, high);
    case DType::kInt16:
      return filled<std::int16_t>(shape, seed, low, high);
    default:
      return filled<bool>(shape, seed, 0, 1);
  }
}

double relative_difference(const Tensor& a, const Tensor& b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return kInfinity;
  const auto x = as_doubles(a);
  const auto y = as_doubles(b);
  if (x.empty()) return 0;
  const auto [low, high] = std::minmax_element(y.begin(), y.end());
  const double range = *high > *low ? *high - *low : 1;
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = x[i] == y[i] ? 0 : std::abs(x[i] - y[i]);
    if (std::isnan(difference)) return kInfinity;
    worst = std::max(worst, difference);
  }
  return worst / range;
}

}  // namespace cleave::exec::testing
