#include <cmath>
#include <limits>

#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;
using graph::TensorId;

/// A tensor as rows of neighbours: pixels of all channels (channels-last), planes of one channel (plain).
struct Rows {
  Layout layout;
  std::int64_t count;
  std::int64_t length;
  std::int64_t channels;

  bool of_pixels() const { return layout == Layout::kChannelsLast; }
  /// Of a row that is a plane.
  std::size_t channel(std::int64_t row) const { return static_cast<std::size_t>(row % channels); }
};

Rows rows_of(Compiler& compiler, TensorId id) {
  const Shape& shape = compiler.shape(id);
  const Layout layout = compiler.layout_at_hand(id);
  const std::int64_t pixels = element_count(shape) / (shape[0] * shape[1]);
  if (layout == Layout::kChannelsLast) return {layout, shape[0] * pixels, shape[1], shape[1]};
  return {layout, shape[0] * shape[1], pixels, shape[1]};
}

/// Runs body(x, first row, rows, y) on pieces of rows; may run in place.
template <typename Body>
class RowsStep : public Step {
 public:
  RowsStep(const Rows& rows, SlotId from, SlotId to, Body body)
      : rows_(rows), from_(from), to_(to), body_(std::move(body)) {}

  void run(const RunContext& context) override {
    const auto* x = reinterpret_cast<const float*>(context.at(from_));
    auto* y = reinterpret_cast<float*>(context.at(to_));
    const auto row_bytes = rows_.length * static_cast<std::int64_t>(sizeof(float));
    in_pieces(rows_.count, row_bytes, [&](std::int64_t first, std::int64_t count) {
      body_(x + first * rows_.length, first, count, y + first * rows_.length);
    });
  }
  std::string describe() const override { return "rows"; }

 private:
  Rows rows_;
  SlotId from_;
  SlotId to_;
  Body body_;
};

template <typename Body>
void emit_rows(Compiler& compiler, const Rows& rows, TensorId from, TensorId to, Body body) {
  ScheduledStep step;
  step.reads.push_back(compiler.read(from, rows.layout));
  step.writes.push_back(compiler.write(to, rows.layout));
  step.may_overwrite = step.reads[0];
  step.step = std::make_unique<RowsStep<Body>>(rows, step.reads[0], step.writes[0], std::move(body));
  compiler.emit(std::move(step));
}

/// y = clamp(x * scale + shift), a scale and a shift per channel.
struct Affine {
  std::vector<float> scales;
  std::vector<float> shifts;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// BatchNormalization: scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale.
Affine affine_of(Compiler& compiler, const Node& node) {
  const auto values = [&](std::size_t i) { return compiler.constant(node.inputs[i])->data<float>(); };
  const float epsilon = node.number("epsilon", 1e-5f);
  Affine a;
  for (std::size_t c = 0; c < values(1).size(); ++c) {
    a.scales.push_back(values(1)[c] / std::sqrt(values(4)[c] + epsilon));
    a.shifts.push_back(values(2)[c] - values(3)[c] * a.scales.back());
  }
  return a;
}

bool add_bounds(Affine& a, const std::vector<Follower>& followers) {
  if (followers.empty()) return true;
  const Activation& f = followers[0].activation;
  if (followers.size() > 1 || followers[0].kind != Follower::Kind::kActivation) return false;
  if (f.function == Function::kClip) a.high = f.beta;
  if (f.function == Function::kClip || f.function == Function::kRelu) a.low = f.alpha;
  return f.function == Function::kClip || f.function == Function::kRelu;
}

/// A slope per channel, from a constant of one value or of shape [C, 1, 1].
std::vector<float> slopes_of(const Tensor& slope, const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape[1]);
  if (slope.elements() == 1) return std::vector<float>(channels, slope.data<float>()[0]);
  Shape wanted(shape.size() - 1, 1);
  wanted[0] = shape[1];
  Shape given = slope.shape();
  if (given.size() == shape.size() && given[0] == 1) given.erase(given.begin());
  if (given != wanted) return {};
  return {slope.data<float>().begin(), slope.data<float>().end()};
}

}  // namespace

bool lower_batch_normalization(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Shape& shape = compiler.shape(node.inputs[0]);
  if (compiler.dtype(node.inputs[0]) != DType::kFloat32) return false;
  if (shape.size() < 2) return false;
  for (std::size_t i = 1; i < 5; ++i) {
    if (compiler.constant(node.inputs[i]) == nullptr) return false;
  }
  Affine affine = affine_of(compiler, node);
  if (!add_bounds(affine, group.followers)) return false;
  const Rows rows = rows_of(compiler, node.inputs[0]);
  emit_rows(compiler, rows, node.inputs[0], group.result(compiler.graph()),
            [=](const float* x, std::int64_t first, std::int64_t count, float* y) {
              const simd::FloatKernels& f32 = simd::kernels().f32;
              if (rows.of_pixels()) {
                return f32.scale_shift_rows(x, count, rows.length, affine.scales.data(), affine.shifts.data(),
                                            affine.low, affine.high, y);
              }
              for (std::int64_t r = 0; r < count; ++r, x += rows.length, y += rows.length) {
                const std::size_t c = rows.channel(first + r);
                f32.scale_shift(x, rows.length, affine.scales[c], affine.shifts[c], affine.low, affine.high, y);
              }
            });
  return true;
}

bool lower_prelu(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Shape& shape = compiler.shape(node.inputs[0]);
  const Tensor* slope = compiler.constant(node.inputs[1]);
  if (compiler.dtype(node.inputs[0]) != DType::kFloat32) return false;
  if (slope == nullptr || shape.size() < 2) return false;
  const std::vector<float> slopes = slopes_of(*slope, shape);
  if (slopes.empty()) return false;
  const Rows rows = rows_of(compiler, node.inputs[0]);
  emit_rows(compiler, rows, node.inputs[0], node.outputs[0],
            [=](const float* x, std::int64_t first, std::int64_t count, float* y) {
              const simd::FloatKernels& f32 = simd::kernels().f32;
              if (rows.of_pixels()) return f32.prelu_rows(x, count, rows.length, slopes.data(), y);
              for (std::int64_t r = 0; r < count; ++r, x += rows.length, y += rows.length) {
                f32.prelu(x, rows.length, slopes[rows.channel(first + r)], y);
              }
            });
  return true;
}

bool lower_softmax(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Shape& shape = compiler.shape(node.inputs[0]);
  if (compiler.dtype(node.inputs[0]) != DType::kFloat32) return false;
  if (shape.empty()) return false;
  const std::size_t axis = axis_index(node.integer("axis", -1), shape.size());
  const Layout layout = compiler.layout_at_hand(node.inputs[0]);
  const bool channels_last = canonical(layout, shape) == Layout::kChannelsLast;
  if (axis != (channels_last ? 1 : shape.size() - 1)) return false;
  const Rows rows{layout, element_count(shape) / shape[axis], shape[axis], shape[axis]};
  emit_rows(compiler, rows, node.inputs[0], node.outputs[0],
            [=](const float* x, std::int64_t, std::int64_t count, float* y) {
              for (std::int64_t r = 0; r < count; ++r, x += rows.length, y += rows.length) {
                simd::kernels().f32.softmax(x, rows.length, y);
              }
            });
  return true;
}

}  // namespace cleave::exec::fast
