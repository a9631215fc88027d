#include "exec/kernels/reference/fourier.h"

#include <algorithm>
#include <numbers>

namespace cleave::exec::reference {

Fourier::Fourier(std::int64_t length, bool inverse)
    : length_(length), factor_(inverse ? 1.0 / static_cast<double>(length) : 1.0) {
  const double step = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(length);
  for (std::int64_t n = 0; n < length; ++n) roots_.push_back(std::polar(1.0, step * static_cast<double>(n)));
}

std::complex<double> Fourier::at(std::span<const std::complex<double>> x, std::int64_t k) const {
  const std::int64_t count = std::min(length_, static_cast<std::int64_t>(x.size()));
  double real = 0;
  double imaginary = 0;
  for (std::int64_t n = 0; n < count; ++n) {
    const std::complex<double> value = x[static_cast<std::size_t>(n)];
    const std::complex<double> root = roots_[static_cast<std::size_t>(k * n % length_)];
    real += value.real() * root.real() - value.imag() * root.imag();
    imaginary += value.real() * root.imag() + value.imag() * root.real();
  }
  return {factor_ * real, factor_ * imaginary};
}

}  // namespace cleave::exec::reference
