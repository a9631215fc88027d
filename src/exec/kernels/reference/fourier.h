#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

namespace cleave::exec::reference {

/// The discrete Fourier transform of one length, by its definition:
///
///     X[k] = sum_n x[n] exp(-2 pi i k n / length)        inverse: x[k] = 1 / length sum_n X[n] exp(2 pi i k n /
///     length)
class Fourier {
 public:
  /// length >= 1.
  Fourier(std::int64_t length, bool inverse);

  /// Element k of the transform of x, which is cut off, or continued by zeros, to the length. Cost O(length).
  std::complex<double> at(std::span<const std::complex<double>> x, std::int64_t k) const;

 private:
  std::int64_t length_;
  double factor_;
  std::vector<std::complex<double>> roots_;  ///< exp(-+2 pi i n / length)
};

/// How many elements of a transform are kept: all, or those of a real signal that do not repeat.
constexpr std::int64_t kept_bins(std::int64_t length, bool onesided) {
  return onesided ? length / 2 + 1 : length;
}

}  // namespace cleave::exec::reference
