#include "exec/kernels/int8/depthwise.h"

#include <omp.h>

#include <algorithm>
#include <cstdlib>

namespace cleave::exec::int8 {
namespace {

constexpr std::int64_t kRingBytes = 16 * 1024;               ///< stays in L1 beside what is read and written
constexpr std::int64_t kBandBytes = 192 * 1024;              ///< of the source: stays in L2 until all channels are done
constexpr std::int64_t kCellStep = 32;                       ///< channels of the ring: a multiple of two strips
constexpr std::int64_t kFloatsReadBeyond = 16;               ///< lanes - 1 in truth
constexpr std::int64_t kExactBelow = std::int64_t{1} << 24;  ///< beyond, floats miss whole numbers
constexpr std::int64_t kLineBytes = 64;
constexpr std::int64_t kTasksPerThread = 4;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Vectors that cross a cache line take twice as long to load.
float* aligned(std::byte* scratch) {
  const auto address = reinterpret_cast<std::uintptr_t>(scratch);
  return reinterpret_cast<float*>(scratch + (kLineBytes - address % kLineBytes) % kLineBytes);
}

}  // namespace

bool DepthwiseConvolution::is_exact(const ConvolutionShape& shape) {
  return shape.kernel_height * shape.kernel_width * 255 * 255 < kExactBelow;
}

DepthwiseConvolution::DepthwiseConvolution(const ConvolutionShape& shape, const Source& source,
                                           std::span<const std::int16_t> weights, const Epilogue& epilogue, int threads,
                                           const simd::Int8Kernels& kernels, const WeightKeeper& keeper)
    : geometry_(shape),
      kernels_(&kernels),
      threads_(threads),
      rows_(geometry_, source, kernels),
      slots_((shape.kernel_height - 1) * shape.dilation_height + 1) {
  make_units();
  const WeightPacker pack = [&] { return std::make_shared<const PackedWeights>(packed(weights)); };
  weights_ = keeper ? keeper(packing(), pack) : pack();
  constants_.emplace(epilogue, units_, kernels_->lanes);
  fold_zero_point(weights, source.zero_point);
  cut_work();
}

void DepthwiseConvolution::make_units() {
  const std::int64_t channels = geometry_.shape.channels;
  const std::int64_t step_bytes = slots_ * geometry_.columns * kCellStep * static_cast<std::int64_t>(sizeof(float));
  cell_ = std::min(std::max<std::int64_t>(kRingBytes / step_bytes, 1) * kCellStep, channels);
  for (std::int64_t c = 0; c < channels; c += cell_) {
    units_.push_back({c, std::min(cell_, channels - c), c, c / kernels_->lanes});
  }
}

/// Everything beside the weights that decides how they lie.
std::string DepthwiseConvolution::packing() const {
  return "depthwise " + std::to_string(kernels_->lanes) + ' ' + std::to_string(geometry_.shape.channels) + ' ' +
         std::to_string(taps());
}

PackedWeights DepthwiseConvolution::packed(std::span<const std::int16_t> weights) const {
  const std::int64_t lanes = kernels_->lanes;
  const std::int64_t channels = geometry_.shape.channels;
  PackedWeights result;
  result.floats.resize(divide_up(channels, lanes) * lanes * taps());
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < taps(); ++t) {
      result.floats[(c / lanes * taps() + t) * lanes + c % lanes] = weights[c * taps() + t];
    }
  }
  return result;
}

void DepthwiseConvolution::fold_zero_point(std::span<const std::int16_t> weights, std::int32_t zero_point) {
  for (const Unit& unit : units_) {
    for (std::int64_t c = 0; c < unit.channels; ++c) {
      std::int32_t sum = 0;
      for (std::int64_t t = 0; t < taps(); ++t) sum += weights[(unit.first + c) * taps() + t];
      std::int32_t& bias = constants_->bias_of(unit)[c];
      bias -= zero_point * sum;
      bias_last_ = bias_last_ || std::abs(std::int64_t{bias}) + taps() * 255 * 255 >= kExactBelow;
    }
  }
}

/// Bands that fit into the cache, and enough of them for all threads.
void DepthwiseConvolution::cut_work() {
  const ConvolutionShape& s = geometry_.shape;
  const auto units = static_cast<std::int64_t>(units_.size());
  const std::int64_t row_bytes = s.width * s.channels * geometry_.row_stride * geometry_.row_step;
  std::int64_t bands = units == 1 ? 1 : divide_up(s.out_height * row_bytes, kBandBytes);
  if (threads_ > 1) bands = std::max(bands, divide_up(kTasksPerThread * threads_, s.batch * units));
  geometry_.cut(bands);
  ring_floats_ = divide_up(slots_ * geometry_.columns * cell_ + kFloatsReadBeyond, 2) * 2;
  const std::int64_t notes =
      slots_ * static_cast<std::int64_t>(sizeof(std::int64_t)) + geometry_.shape.kernel_height * 4;
  buffer_bytes_ = divide_up(ring_floats_ * 4 + notes, kLineBytes) * kLineBytes + kLineBytes;
}

void DepthwiseConvolution::run(const void* source, void* out, std::byte* scratch) const {
  const std::int64_t tasks = geometry_.shape.batch * geometry_.bands * static_cast<std::int64_t>(units_.size());
#pragma omp parallel for num_threads(threads_) schedule(static) if (tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) {
    run_task(task, source, out, scratch + omp_get_thread_num() * buffer_bytes_);
  }
}

/// Pixels as far apart as the taps of a dilated window see each other's columns: they are computed as a row of their
/// own.
void DepthwiseConvolution::run_row(simd::DepthwiseJob job, std::byte* target) const {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t phases = s.stride_width == 1 ? s.dilation_width : 1;
  const float* source = job.source;
  job.pixel_stride *= phases;
  job.target.out_stride = phases * s.out_channels;
  for (std::int64_t phase = 0; phase < std::min(phases, s.out_width); ++phase) {
    job.source = source + phase * cell_;
    job.pixel_count = divide_up(s.out_width - phase, phases);
    job.target.out = target + phase * s.out_channels * constants_->element_size();
    kernels_->depthwise(job);
  }
}

void DepthwiseConvolution::run_task(std::int64_t task, const void* source, void* out, std::byte* scratch) const {
  const ConvolutionShape& s = geometry_.shape;
  const auto units = static_cast<std::int64_t>(units_.size());
  const Band band = geometry_.band(task / units);
  const Unit& unit = units_[task % units];
  const std::int64_t row_size = geometry_.columns * cell_;
  auto* ring = aligned(scratch);
  auto* held = reinterpret_cast<std::int64_t*>(ring + ring_floats_);  // the buffer row in each slot
  auto* kernel_rows = reinterpret_cast<std::int32_t*>(held + slots_);
  std::fill_n(held, slots_, -1);
  simd::DepthwiseJob job{ring,
                         geometry_.column_stride * cell_,
                         s.out_width,
                         kernel_rows,
                         s.kernel_height,
                         s.kernel_width,
                         s.dilation_width * cell_,
                         weights_->floats.data() + unit.strip * kernels_->lanes * taps(),
                         bias_last_,
                         constants_->target(unit)};
  const std::int64_t element = constants_->element_size();
  const std::int64_t first_pixel = (band.picture * s.out_height + band.first_row) * s.out_width;
  auto* target = static_cast<std::byte*>(out) + (first_pixel * s.out_channels + unit.first) * element;
  for (std::int64_t y = 0; y < band.rows; ++y, target += s.out_width * s.out_channels * element) {
    const std::int64_t first = y * geometry_.row_stride;
    for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
      const std::int64_t row = first + ky * s.dilation_height;
      const std::int64_t slot = row % slots_;
      kernel_rows[ky] = static_cast<std::int32_t>(slot * row_size);
      if (held[slot] == row) continue;
      rows_.fill(band, source, row, unit.first, unit.channels, cell_, ring + slot * row_size);
      held[slot] = row;
    }
    run_row(job, target);
  }
}

}  // namespace cleave::exec::int8
