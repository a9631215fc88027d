#include "compare.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <sstream>

namespace cleave::conformance {
namespace {

constexpr double kRelative = 1e-3;
constexpr double kBfloatStep = 1.0 / 128;  // ONNX's bfloat16 data was cut off, not rounded to the nearest as it demands
constexpr double kAbsolute = 1e-7;

template <typename T>
T load(const Tensor& tensor, std::int64_t i) {
  T value;
  std::memcpy(&value, tensor.raw().data() + static_cast<std::size_t>(i) * sizeof value, sizeof value);
  return value;
}

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits.
double half_value(std::uint16_t bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1 : 1;
  const int exponent = bits >> 10 & 0x1F;
  const int mantissa = bits & 0x3FF;
  if (exponent == 0x1F) {
    return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  }
  return exponent == 0 ? sign * std::ldexp(mantissa, -24) : sign * std::ldexp(mantissa + 1024, exponent - 25);
}

/// bfloat16 is the upper half of a float32.
double bfloat_value(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return static_cast<double>(value);
}

/// The element as a number; only of float types.
double number(const Tensor& tensor, std::int64_t i) {
  switch (tensor.dtype()) {
    case DType::kFloat64:
      return load<double>(tensor, i);
    case DType::kFloat16:
      return half_value(load<std::uint16_t>(tensor, i));
    case DType::kBfloat16:
      return bfloat_value(load<std::uint16_t>(tensor, i));
    default:
      return static_cast<double>(load<float>(tensor, i));
  }
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 || dtype == DType::kBfloat16;
}

bool close(double actual, double expected, double relative) {
  if (std::isnan(expected) || std::isnan(actual)) return std::isnan(expected) && std::isnan(actual);
  return actual == expected || std::abs(actual - expected) <= kAbsolute + relative * std::abs(expected);
}

bool equal_at(const Tensor& actual, const Tensor& expected, std::int64_t i) {
  const double relative = expected.dtype() == DType::kBfloat16 ? kBfloatStep : kRelative;
  if (is_float(expected.dtype())) return close(number(actual, i), number(expected, i), relative);
  const std::size_t bytes = dtype_bytes(expected.dtype());
  const std::size_t at = static_cast<std::size_t>(i) * bytes;
  return std::memcmp(actual.raw().data() + at, expected.raw().data() + at, bytes) == 0;
}

std::string element_text(const Tensor& tensor, std::int64_t i) {
  std::ostringstream text;
  if (is_float(tensor.dtype())) {
    text.precision(9);
    text << number(tensor, i);
    return text.str();
  }
  const std::size_t bytes = dtype_bytes(tensor.dtype());
  std::int64_t value = 0;
  std::memcpy(&value, tensor.raw().data() + static_cast<std::size_t>(i) * bytes, bytes);
  text << value;
  return text.str();
}

std::string kind_text(const Tensor& tensor) {
  return std::string(dtype_name(tensor.dtype())) + " " + shape_text(tensor.shape());
}

}  // namespace

std::optional<std::string> difference(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape()) {
    return "is " + kind_text(actual) + ", expected " + kind_text(expected);
  }
  for (std::int64_t i = 0; i < expected.elements(); ++i) {
    if (equal_at(actual, expected, i)) continue;
    return "element " + std::to_string(i) + " is " + element_text(actual, i) + ", expected " +
           element_text(expected, i) + " (" + kind_text(expected) + ")";
  }
  return std::nullopt;
}

}  // namespace cleave::conformance
