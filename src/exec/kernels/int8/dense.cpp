#include "exec/kernels/int8/dense.h"

#include <omp.h>

#include <algorithm>

namespace cleave::exec::int8 {
namespace {

constexpr std::int64_t kCacheBytes = 96 * 1024;  ///< of a source buffer: stays in L2 beside the weights
constexpr std::int64_t kStrips = 2;              ///< strips that an inner loop takes at once
constexpr std::int64_t kBytesReadBeyond = 64;    ///< an int16 in truth

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

DenseConvolution::DenseConvolution(const ConvolutionShape& shape, const Source& source,
                                   std::span<const std::int16_t> weights, const Epilogue& epilogue, int threads,
                                   const simd::Int8Kernels& kernels, const WeightKeeper& keeper)
    : geometry_(shape), kernels_(&kernels), threads_(threads), buffer_(geometry_, source, kernels) {
  const ConvolutionShape& s = geometry_.shape;
  run_ = (one_run_per_kernel_row() ? s.kernel_width : 1) * (s.channels / s.groups);
  make_units();
  make_taps();
  strip_weights_ = static_cast<std::int64_t>(taps_.size()) * divide_up(run_, 2) * 2 * kernels_->lanes;
  const WeightPacker pack = [&] { return std::make_shared<const PackedWeights>(packed(weights)); };
  weights_ = keeper ? keeper(packing(), pack) : pack();
  constants_.emplace(epilogue, units_, kernels_->lanes);
  cut_work();
}

/// Neighbouring taps of a kernel row are then one run of the buffer.
bool DenseConvolution::one_run_per_kernel_row() const {
  return geometry_.shape.groups == 1 && geometry_.shape.dilation_width == 1;
}

void DenseConvolution::make_units() {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t of_group = s.out_channels / s.groups;
  const std::int64_t unit_channels = kStrips * kernels_->lanes;
  std::int64_t strip = 0;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    for (std::int64_t c = 0; c < of_group; c += unit_channels) {
      const std::int64_t count = std::min(unit_channels, of_group - c);
      units_.push_back({g * of_group + c, count, g * (s.channels / s.groups), strip});
      strip += divide_up(count, kernels_->lanes);
    }
  }
}

void DenseConvolution::make_taps() {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t columns = one_run_per_kernel_row() ? 1 : s.kernel_width;
  for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
    for (std::int64_t kx = 0; kx < columns; ++kx) {
      const std::int64_t cells = ky * s.dilation_height * geometry_.columns + kx * s.dilation_width;
      taps_.push_back(static_cast<std::int32_t>(cells * s.channels));
    }
  }
}

/// Where the weight of element i of a tap stands in ONNX's order.
std::int64_t DenseConvolution::weight_index(std::int64_t channel, std::int64_t tap, std::int64_t i) const {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t group_channels = s.channels / s.groups;
  const bool one_run = one_run_per_kernel_row();
  const std::int64_t ky = one_run ? tap : tap / s.kernel_width;
  const std::int64_t kx = one_run ? i / group_channels : tap % s.kernel_width;
  return ((channel * group_channels + i % group_channels) * s.kernel_height + ky) * s.kernel_width + kx;
}

void DenseConvolution::pack_strip(std::span<const std::int16_t> weights, std::int64_t first, std::int64_t end,
                                  std::int16_t* out) const {
  const std::int64_t pairs = divide_up(run_, 2);
  for (std::int64_t tap = 0; tap < static_cast<std::int64_t>(taps_.size()); ++tap) {
    for (std::int64_t k = 0; k < pairs; ++k) {
      for (std::int64_t channel = first; channel < first + kernels_->lanes; ++channel) {
        for (std::int64_t i = 2 * k; i < 2 * k + 2; ++i, ++out) {
          if (channel < end && i < run_) *out = weights[weight_index(channel, tap, i)];
        }
      }
    }
  }
}

/// Everything beside the weights that decides how they lie.
std::string DenseConvolution::packing() const {
  const ConvolutionShape& s = geometry_.shape;
  std::string text = "dense ";
  for (const std::int64_t number : {std::int64_t{kernels_->lanes}, s.groups, s.channels, s.out_channels,
                                    s.kernel_height, s.kernel_width, std::int64_t{one_run_per_kernel_row()}}) {
    text += std::to_string(number) + ' ';
  }
  return text;
}

PackedWeights DenseConvolution::packed(std::span<const std::int16_t> weights) const {
  const std::int64_t lanes = kernels_->lanes;
  const std::int64_t strips = units_.back().strip + divide_up(units_.back().channels, lanes);
  PackedWeights result;
  result.words.resize(strips * strip_weights_);
  for (const Unit& unit : units_) {
    for (std::int64_t c = 0; c < unit.channels; c += lanes) {
      pack_strip(weights, unit.first + c, unit.first + unit.channels,
                 &result.words[(unit.strip + c / lanes) * strip_weights_]);
    }
  }
  return result;
}

/// Bands that fit into the cache. Where a picture is one band, threads share its channels, so that each reads only some
/// of the weights; otherwise the number of bands is made a multiple of the number of threads.
void DenseConvolution::cut_work() {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t row_bytes = geometry_.columns * s.channels * 2;
  const std::int64_t rows = std::max(kCacheBytes / row_bytes, geometry_.rows_under(1));
  const std::int64_t band_rows = (rows - geometry_.rows_under(1)) / geometry_.row_stride + 1;
  std::int64_t bands = divide_up(s.out_height, band_rows);
  const auto units = static_cast<std::int64_t>(units_.size());
  if (s.batch * bands % threads_ != 0) {
    if (bands == 1 && (units % threads_ == 0 || units >= 4 * threads_)) {
      parts_ = threads_;
    } else {
      bands = divide_up(bands, threads_) * threads_;
    }
  }
  geometry_.cut(bands);
  buffer_bytes_ = divide_up(geometry_.rows_under(geometry_.band_rows) * row_bytes + kBytesReadBeyond, 64) * 64;
  pixels_ = geometry_.window_cells();
  for (auto& pixel : pixels_) pixel *= static_cast<std::int32_t>(s.channels);
}

void DenseConvolution::run(const void* source, void* out, std::byte* scratch) const {
  const std::int64_t tasks = geometry_.shape.batch * geometry_.bands * parts_;
#pragma omp parallel for num_threads(threads_) schedule(static) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    run_task(task, source, out, scratch + omp_get_thread_num() * buffer_bytes_);
  }
}

void DenseConvolution::run_task(std::int64_t task, const void* source, void* out, std::byte* scratch) const {
  const ConvolutionShape& s = geometry_.shape;
  const Band band = geometry_.band(task / parts_);
  const std::int64_t part = task % parts_;
  const auto units = static_cast<std::int64_t>(units_.size());
  auto* codes = reinterpret_cast<std::int16_t*>(scratch);
  buffer_.fill(band, source, codes);
  const std::int64_t first_pixel = (band.picture * s.out_height + band.first_row) * s.out_width;
  for (std::int64_t u = units * part / parts_; u < units * (part + 1) / parts_; ++u) {
    const Unit& unit = units_[u];
    simd::WindowJob job{codes + unit.source_channel,
                        pixels_.data(),
                        band.rows * s.out_width,
                        taps_.data(),
                        static_cast<std::int64_t>(taps_.size()),
                        divide_up(run_, 2),
                        weights_->words.data() + unit.strip * strip_weights_,
                        constants_->target(unit)};
    const std::int64_t at = first_pixel * s.out_channels + unit.first;
    job.target.out = static_cast<std::byte*>(out) + at * constants_->element_size();
    job.target.out_stride = s.out_channels;
    kernels_->dense(job);
  }
}

}  // namespace cleave::exec::int8
