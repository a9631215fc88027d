#include <omp.h>

#include <algorithm>
#include <cstring>

#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/pieces.h"
#include "exec/kernels/resize_axis.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;

/// The axis as it is.
AxisResampling unchanged(std::size_t axis, std::int64_t size) {
  AxisResampling r{axis, size, size, 1, {}, {}, {}};
  for (std::int64_t i = 0; i < size; ++i) {
    r.indices.push_back(i);
    r.weights.push_back(1);
  }
  return r;
}

/// Nearest or bilinear over the last two axes of [images, channels, rows, columns].
class ResizeStep : public Step {
 public:
  ResizeStep(AxisResampling rows, AxisResampling columns, std::int64_t images, std::int64_t channels)
      : rows_(std::move(rows)), columns_(std::move(columns)), images_(images), channels_(channels) {}
  void place(SlotId from, SlotId to) {
    from_ = from;
    to_ = to;
  }
  std::string describe() const override { return "resize_rows"; }

 protected:
  template <typename Row>
  void for_each_row(std::int64_t rows, std::int64_t floats, const Row& row) const {
    in_pieces(rows, floats * static_cast<std::int64_t>(sizeof(float)), [&](std::int64_t first, std::int64_t count) {
      for (std::int64_t r = first; r < first + count; ++r) row(r);
    });
  }

  AxisResampling rows_;
  AxisResampling columns_;
  std::int64_t images_;
  std::int64_t channels_;
  SlotId from_ = SlotId::kNone;
  SlotId to_ = SlotId::kNone;
};

/// Channels-last: pixel by pixel.
class PixelResizeStep : public ResizeStep {
 public:
  using ResizeStep::ResizeStep;
  void run(const RunContext& context) override {
    const auto* x = reinterpret_cast<const float*>(context.at(from_));
    auto* y = reinterpret_cast<float*>(context.at(to_));
    const std::int64_t row = columns_.output * channels_;
    const std::int64_t image = rows_.input * columns_.input * channels_;
    for_each_row(images_ * rows_.output, row,
                 [&](std::int64_t r) { resize_row(x + r / rows_.output * image, r % rows_.output, y + r * row); });
  }

 private:
  void resize_row(const float* image, std::int64_t row, float* y) const {
    const bool copies = rows_.taps == 1 && columns_.taps == 1;
    const auto r = static_cast<std::size_t>(row) * rows_.taps;
    for (std::size_t c = 0; c < columns_.indices.size(); c += columns_.taps, y += channels_) {
      if (copies) {
        std::memcpy(y, pixel(image, r, c), static_cast<std::size_t>(channels_) * sizeof(float));
      } else {
        blend(image, r, c, y);
      }
    }
  }

  const float* pixel(const float* image, std::size_t row_tap, std::size_t column_tap) const {
    return image + (rows_.indices[row_tap] * columns_.input + columns_.indices[column_tap]) * channels_;
  }

  /// An axis with one tap counts it twice, half each: infinity times 0 would not be a number.
  void blend(const float* image, std::size_t r, std::size_t c, float* y) const {
    const float* corners[4];
    float weights[4];
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t row = r + std::min(k / 2, rows_.taps - 1);
      const std::size_t column = c + std::min(k % 2, columns_.taps - 1);
      corners[k] = pixel(image, row, column);
      weights[k] = weight(rows_, row) * weight(columns_, column);
    }
    simd::kernels().f32.interpolate(corners, weights, channels_, y);
  }

  static float weight(const AxisResampling& axis, std::size_t tap) {
    return axis.taps == 1 ? 0.5f * axis.weights[tap] : axis.weights[tap];
  }
};

/// Plain: rows are blended into one, which is then resampled.
class PlaneResizeStep : public ResizeStep {
 public:
  using ResizeStep::ResizeStep;
  static std::int64_t scratch_bytes(std::int64_t columns) {
    return omp_get_max_threads() * columns * static_cast<std::int64_t>(sizeof(float));
  }

  void run(const RunContext& context) override {
    const auto* x = reinterpret_cast<const float*>(context.at(from_));
    auto* y = reinterpret_cast<float*>(context.at(to_));
    for_each_row(images_ * channels_ * rows_.output, columns_.output, [&](std::int64_t r) {
      float* blended = reinterpret_cast<float*>(context.scratch) + omp_get_thread_num() * columns_.input;
      blend_rows(x + r / rows_.output * rows_.input * columns_.input, r % rows_.output, blended);
      resample(blended, y + r * columns_.output);
    });
  }

 private:
  void blend_rows(const float* plane, std::int64_t row, float* blended) const {
    const auto r = static_cast<std::size_t>(row) * rows_.taps;
    const float* first = plane + rows_.indices[r] * columns_.input;
    if (rows_.taps == 1) {
      std::copy_n(first, columns_.input, blended);
      return;
    }
    const float* second = plane + rows_.indices[r + 1] * columns_.input;
    const float a = rows_.weights[r];
    const float b = rows_.weights[r + 1];
    for (std::int64_t i = 0; i < columns_.input; ++i) blended[i] = a * first[i] + b * second[i];
  }

  void resample(const float* x, float* y) const {
    const std::int64_t* at = columns_.indices.data();
    const float* weight = columns_.weights.data();
    if (columns_.taps == 1) {
      for (std::int64_t o = 0; o < columns_.output; ++o) y[o] = x[at[o]];
      return;
    }
    for (std::int64_t o = 0; o < columns_.output; ++o) {
      y[o] = weight[2 * o] * x[at[2 * o]] + weight[2 * o + 1] * x[at[2 * o + 1]];
    }
  }
};

template <typename Kind>
void emit_resize(Compiler& compiler, const Node& node, std::unique_ptr<Kind> work, Layout layout,
                 std::int64_t scratch) {
  ScheduledStep step;
  step.reads.push_back(compiler.read(node.inputs[0], layout));
  step.writes.push_back(compiler.write(node.outputs[0], layout));
  step.scratch_bytes = scratch;
  work->place(step.reads[0], step.writes[0]);
  step.step = std::move(work);
  compiler.emit(std::move(step));
}

/// Outputs of the network are wanted plain; the rest goes on as it came.
Layout wanted_layout(Compiler& compiler, const Node& node) {
  const bool ends_here =
      compiler.facts().visible[index(node.outputs[0])] && compiler.graph().consumers(node.outputs[0]).empty();
  return ends_here ? Layout::kPlain : compiler.layout_at_hand(node.inputs[0]);
}

bool is_plain_resize(const Node& node) {
  return node.text("mode", "nearest") != "cubic" && node.integer("antialias", 0) == 0 &&
         node.text("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize";
}

}  // namespace

bool lower_resize(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape& out = compiler.shape(node.outputs[0]);
  const auto inputs = constant_resize_inputs(node, compiler.facts().constant);
  const bool is_float = compiler.dtype(node.inputs[0]) == DType::kFloat32;
  if (!inputs || !is_float || in.size() != 4 || !is_plain_resize(node)) return false;
  AxisResampling rows = unchanged(2, in[2]);
  AxisResampling columns = unchanged(3, in[3]);
  for (AxisResampling& axis : resampled_axes(node, in, out, *inputs)) {
    if (axis.axis < 2) return false;
    (axis.axis == 2 ? rows : columns) = std::move(axis);
  }
  const bool one_pixel = in[2] == 1 && in[3] == 1;
  if (wanted_layout(compiler, node) == Layout::kPlain && !one_pixel) {
    const std::int64_t scratch = PlaneResizeStep::scratch_bytes(in[3]);
    emit_resize(compiler, node, std::make_unique<PlaneResizeStep>(rows, columns, in[0], in[1]), Layout::kPlain,
                scratch);
  } else {
    emit_resize(compiler, node, std::make_unique<PixelResizeStep>(rows, columns, in[0], in[1]), Layout::kChannelsLast,
                0);
  }
  return true;
}

}  // namespace cleave::exec::fast
