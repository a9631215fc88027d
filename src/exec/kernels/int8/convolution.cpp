#include "exec/kernels/int8/convolution.h"

#include <omp.h>

#include <algorithm>

#include "core/check.h"

namespace cleave::exec::int8 {
namespace {

constexpr std::int64_t kCacheBytes = 96 * 1024;   ///< of a source buffer: stays in L2 beside the weights
constexpr std::int64_t kDepthwiseCell = 32;       ///< channels of a depthwise buffer
constexpr std::int64_t kDenseStrips = 2;          ///< strips that an inner loop takes at once
constexpr std::int64_t kElementsReadBeyond = 32;  ///< int16; a pair, or a strip of pairs

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

std::int64_t element_size(simd::SumOutput type) {
  return type == simd::SumOutput::kInt32 || type == simd::SumOutput::kFloat ? 4 : 1;
}

}  // namespace

Convolution::Convolution(const ConvolutionShape& shape, const Source& source, std::span<const std::int16_t> weights,
                         const Epilogue& epilogue, int threads, simd::Isa isa, const WeightKeeper& keeper)
    : geometry_(shape),
      source_(source),
      kernels_(&simd::kernels(isa).int8),
      depthwise_(shape.is_depthwise()),
      threads_(threads),
      cell_(depthwise_ ? std::min(kDepthwiseCell, shape.channels) : shape.channels) {
  const ConvolutionShape& s = geometry_.shape;
  CLEAVE_CHECK(static_cast<std::int64_t>(weights.size()) ==
                   s.out_channels * (s.channels / s.groups) * s.kernel_height * s.kernel_width,
               "one weight per output channel, source channel of its group and place in the kernel");
  run_ = depthwise_ ? 1 : (one_run_per_kernel_row() ? s.kernel_width : 1) * (s.channels / s.groups);
  make_units(depthwise_ ? kDepthwiseCell : kDenseStrips * kernels_->lanes);
  make_taps();
  strip_weights_ = static_cast<std::int64_t>(taps_.size()) * divide_up(run_, 2) * 2 * kernels_->lanes;
  const WeightPacker pack = [&] { return std::make_shared<const PackedWeights>(packed(weights)); };
  weights_ = keeper ? keeper(packing(), pack) : pack();
  spread(epilogue);
  cut_work();
  job_.taps = taps_.data();
  job_.tap_count = static_cast<std::int64_t>(taps_.size());
  job_.pairs = divide_up(run_, 2);
  job_.type = epilogue.type;
  job_.zero_point = epilogue.zero_point;
  job_.low = epilogue.low;
  job_.high = epilogue.high;
  job_.out_stride = s.out_channels;
}

/// Neighbouring taps of a kernel row are then one run of the buffer.
bool Convolution::one_run_per_kernel_row() const {
  return geometry_.shape.groups == 1 && geometry_.shape.dilation_width == 1;
}

void Convolution::make_units(std::int64_t unit_channels) {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t groups = depthwise_ ? 1 : s.groups;
  const std::int64_t of_group = s.out_channels / groups;
  std::int64_t strip = 0;
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::int64_t c = 0; c < of_group; c += unit_channels) {
      const std::int64_t count = std::min(unit_channels, of_group - c);
      units_.push_back({g * of_group + c, count, depthwise_ ? c : g * (s.channels / groups), strip});
      strip += divide_up(count, kernels_->lanes);
    }
  }
}

void Convolution::make_taps() {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t columns = one_run_per_kernel_row() && !depthwise_ ? 1 : s.kernel_width;
  for (std::int64_t ky = 0; ky < s.kernel_height; ky += depthwise_ ? 2 : 1) {
    for (std::int64_t kx = 0; kx < columns; ++kx) {
      const std::int64_t cells = ky * s.dilation_height * geometry_.columns + kx * s.dilation_width;
      taps_.push_back(static_cast<std::int32_t>(cells * cell_));
    }
  }
}

/// Where the weight of element i of a tap stands in ONNX's order, or -1 where the tap is longer than the kernel.
std::int64_t Convolution::weight_index(std::int64_t channel, std::int64_t tap, std::int64_t i) const {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t group_channels = s.channels / s.groups;
  std::int64_t ky = tap / s.kernel_width;
  std::int64_t kx = tap % s.kernel_width;
  std::int64_t c = i;
  if (depthwise_) {
    ky = 2 * ky + i;  // the pair's second element is the next kernel row
    c = 0;
    if (ky >= s.kernel_height) return -1;
  } else if (i >= run_) {
    return -1;
  } else if (one_run_per_kernel_row()) {
    ky = tap;
    kx = i / group_channels;
    c = i % group_channels;
  }
  return ((channel * group_channels + c) * s.kernel_height + ky) * s.kernel_width + kx;
}

std::int64_t Convolution::strips() const {
  return units_.back().strip + divide_up(units_.back().channels, kernels_->lanes);
}

/// Everything beside the weights that decides how they lie.
std::string Convolution::packing() const {
  const ConvolutionShape& s = geometry_.shape;
  std::string text;
  for (const std::int64_t number :
       {std::int64_t{kernels_->lanes}, s.groups, s.channels, s.out_channels, s.kernel_height, s.kernel_width,
        std::int64_t{depthwise_}, std::int64_t{one_run_per_kernel_row()}}) {
    text += std::to_string(number) + ' ';
  }
  return text;
}

void Convolution::pack_strip(std::span<const std::int16_t> weights, std::int64_t first, std::int64_t end,
                             std::int16_t* out) const {
  const std::int64_t pairs = divide_up(run_, 2);
  for (std::int64_t tap = 0; tap < static_cast<std::int64_t>(taps_.size()); ++tap) {
    for (std::int64_t k = 0; k < pairs; ++k) {
      for (std::int64_t channel = first; channel < first + kernels_->lanes; ++channel) {
        for (std::int64_t i = 2 * k; i < 2 * k + 2; ++i, ++out) {
          const std::int64_t index = channel < end ? weight_index(channel, tap, i) : -1;
          if (index >= 0) *out = weights[index];
        }
      }
    }
  }
}

PackedWeights Convolution::packed(std::span<const std::int16_t> weights) const {
  PackedWeights result(static_cast<std::size_t>(strips() * strip_weights_));
  for (const Unit& unit : units_) {
    for (std::int64_t c = 0; c < unit.channels; c += kernels_->lanes) {
      pack_strip(weights, unit.first + c, unit.first + unit.channels,
                 &result[(unit.strip + c / kernels_->lanes) * strip_weights_]);
    }
  }
  return result;
}

/// Bias, shifts and scales of each strip.
void Convolution::spread(const Epilogue& epilogue) {
  const std::int64_t lanes = kernels_->lanes;
  bias_.resize(strips() * lanes);
  shifts_.resize(strips() * lanes);
  scales_.resize(strips() * lanes);
  for (const Unit& unit : units_) {
    for (std::int64_t c = 0; c < unit.channels; ++c) {
      if (!epilogue.bias.empty()) bias_[unit.strip * lanes + c] = epilogue.bias[unit.first + c];
      if (!epilogue.shifts.empty()) shifts_[unit.strip * lanes + c] = epilogue.shifts[unit.first + c];
      if (!epilogue.scales.empty()) scales_[unit.strip * lanes + c] = epilogue.scales[unit.first + c];
    }
  }
}

/// Bands that fit into the cache. Where a picture is one band, threads share its channels, so that each reads only some
/// of the weights; otherwise the number of bands is made a multiple of the number of threads.
void Convolution::cut_work() {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t row_bytes = geometry_.columns * cell_ * (depthwise_ ? 4 : 2);
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
  const std::int64_t bytes = geometry_.rows_under(geometry_.band_rows) * row_bytes + 2 * kElementsReadBeyond;
  buffer_bytes_ = divide_up(bytes, 64) * 64;
  buffer_.emplace(geometry_, source_.is_signed, source_.zero_point, *kernels_);
  pixels_ = geometry_.window_cells();
  for (auto& pixel : pixels_) pixel *= static_cast<std::int32_t>(cell_);
}

void Convolution::run(const void* source, void* out, std::byte* scratch) const {
  const std::int64_t tasks = geometry_.shape.batch * geometry_.bands * parts_;
#pragma omp parallel for num_threads(threads_) schedule(static) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    run_task(task, source, out, scratch + omp_get_thread_num() * buffer_bytes_);
  }
}

void Convolution::run_task(std::int64_t task, const void* source, void* out, std::byte* scratch) const {
  const ConvolutionShape& s = geometry_.shape;
  const Band band = geometry_.band(task / parts_);
  const std::int64_t part = task % parts_;
  const auto units = static_cast<std::int64_t>(units_.size());
  auto* codes = reinterpret_cast<std::int16_t*>(scratch);
  if (!depthwise_) buffer_->fill(band, source, codes);
  simd::WindowJob job = job_;
  job.pixels = pixels_.data();
  job.pixel_count = band.rows * s.out_width;
  const std::int64_t first_pixel = (band.picture * s.out_height + band.first_row) * s.out_width;
  for (std::int64_t u = units * part / parts_; u < units * (part + 1) / parts_; ++u) {
    const Unit& unit = units_[u];
    job.source = depthwise_ ? codes : codes + unit.source_channel;
    job.weights = weights_->data() + unit.strip * strip_weights_;
    job.bias = &bias_[unit.strip * kernels_->lanes];
    job.shifts = &shifts_[unit.strip * kernels_->lanes];
    job.scales = &scales_[unit.strip * kernels_->lanes];
    job.channels = unit.channels;
    job.out = static_cast<std::byte*>(out) + (first_pixel * s.out_channels + unit.first) * element_size(job.type);
    if (depthwise_) {
      buffer_->fill_pairs(band, source, unit.source_channel, unit.channels, cell_,
                          reinterpret_cast<std::int32_t*>(scratch));
      kernels_->depthwise(job);
    } else {
      kernels_->dense(job);
    }
  }
}

}  // namespace cleave::exec::int8
