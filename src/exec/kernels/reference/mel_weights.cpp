#include <cmath>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

double mel_of(double hertz) {
  return 2595 * std::log10(1 + hertz / 700);
}

double hertz_of(double mel) {
  return 700 * (std::pow(10, mel / 2595) - 1);
}

struct MelBands {
  std::int64_t bands = 0;
  std::int64_t bins = 0;              ///< of the spectrum
  std::vector<std::int64_t> corners;  ///< bins between which bands rise and fall, bands + 2
};

MelBands bands_of(const KernelCall& call) {
  const std::int64_t bands = integers_of(call.in(0)).front();
  const std::int64_t dft_length = integers_of(call.in(1)).front();
  const auto sample_rate = static_cast<double>(integers_of(call.in(2)).front());
  if (bands < 0 || dft_length < 1 || sample_rate <= 0) throw bad_value(call, "sizes and rates must be positive");
  MelBands result{bands, dft_length / 2 + 1, {}};
  const double low = mel_of(scalar_of(call.in(3)));
  const double step = (mel_of(scalar_of(call.in(4))) - low) / static_cast<double>(bands + 2);
  for (std::int64_t i = 0; i < bands + 2; ++i) {
    const double hertz = hertz_of(low + static_cast<double>(i) * step);
    const double bin = std::floor(static_cast<double>(dft_length + 1) * hertz / sample_rate);
    if (!(bin >= 0 && bin < static_cast<double>(result.bins))) {
      throw bad_value(call, "its bands leave the spectrum at " + std::to_string(hertz) + " Hz");
    }
    result.corners.push_back(static_cast<std::int64_t>(bin));
  }
  return result;
}

/// The weight of a bin in a band: a triangle over its three corners.
double weight(const MelBands& mel, std::int64_t band, std::int64_t bin) {
  const std::int64_t* corner = mel.corners.data() + band;
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  if (bin < corner[0] || bin > corner[2]) return 0;
  if (bin == corner[1]) return 1;
  if (bin < corner[1]) return share(bin - corner[0], corner[1] - corner[0]);
  return share(corner[2] - bin, corner[2] - corner[1]);
}

}  // namespace

void mel_weight_matrix(const KernelCall& call) {
  const MelBands mel = bands_of(call);
  require_shape(call, {mel.bins, mel.bands});
  dispatch_number(call.out().dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t bin = 0; bin < mel.bins; ++bin) {
      for (std::int64_t band = 0; band < mel.bands; ++band) {
        call.out().as<T>()[bin * mel.bands + band] = static_cast<T>(weight(mel, band, bin));
      }
    }
  });
}

}  // namespace cleave::exec::reference
