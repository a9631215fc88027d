#include <algorithm>
#include <limits>

#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/kernel.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;
using graph::TensorId;

/// (clamp(rne(x / scale) + zero, low, high) - zero) * scale, all in float32: exact integers up to the last product.
struct Grid {
  float scale = 1;
  float zero = 0;
  float low = 0;
  float high = 0;
};

/// Adding and subtracting 1.5 * 2^23 rounds half to even for |x| < 2^22; larger values saturate either way.
void round_to_grid(const Grid& grid, const float* x, float* y, std::int64_t count) {
  constexpr float kRounder = 12582912.0f;
  constexpr float kFar = 1024.0f;  // beyond every 8-bit code plus zero point
  for (std::int64_t i = 0; i < count; ++i) {
    float q = x[i] / grid.scale;
    q = q > -kFar ? q : -kFar;
    q = q < kFar ? q : kFar;
    q = (q + kRounder) - kRounder;
    q += grid.zero;
    q = q > grid.low ? q : grid.low;
    q = q < grid.high ? q : grid.high;
    y[i] = (q - grid.zero) * grid.scale;
  }
}

class FakeQuantizeStep : public Step {
 public:
  FakeQuantizeStep(const Grid& grid, std::int64_t count, SlotId from, SlotId to)
      : grid_(grid), count_(count), from_(from), to_(to) {}

  void run(const RunContext& context) override {
    constexpr std::int64_t kChunk = 16384;
    const auto* x = reinterpret_cast<const float*>(context.at(from_));
    auto* y = reinterpret_cast<float*>(context.at(to_));
    const std::int64_t chunks = (count_ + kChunk - 1) / kChunk;
#pragma omp parallel for if (chunks > 3)
    for (std::int64_t c = 0; c < chunks; ++c) {
      const std::int64_t begin = c * kChunk;
      round_to_grid(grid_, x + begin, y + begin, std::min(kChunk, count_ - begin));
    }
  }

 private:
  Grid grid_;
  std::int64_t count_;
  SlotId from_;
  SlotId to_;
};

float constant_value(const Compiler& compiler, TensorId id, float fallback) {
  const Tensor* value = compiler.constant(id);
  return value == nullptr ? fallback : static_cast<float>(scalar_of(view_of(*value)));
}

Grid grid_of(const Compiler& compiler, const Node& quantize, const Node* clip) {
  const bool is_signed = compiler.dtype(quantize.outputs[0]) == DType::kInt8;
  Grid grid;
  grid.scale = constant_value(compiler, quantize.input(1), 1);
  grid.zero = constant_value(compiler, quantize.input(2), 0);
  grid.low = is_signed ? -128.0f : 0.0f;
  grid.high = is_signed ? 127.0f : 255.0f;
  if (clip == nullptr) return grid;
  grid.low = std::max(grid.low, constant_value(compiler, clip->input(1), grid.low));
  grid.high = std::min(grid.high, constant_value(compiler, clip->input(2), grid.high));
  return grid;
}

}  // namespace

bool lower_fake_quantization(Compiler& compiler, const Group& group) {
  if (group.followers.empty()) return false;
  const Node& quantize = group.node(compiler.graph());
  const auto& nodes = group.followers[0].nodes;
  const Node* clip = nodes.size() == 2 ? &compiler.node(nodes[0]) : nullptr;
  const Layout layout = compiler.layout_at_hand(quantize.inputs[0]);
  ScheduledStep step;
  step.reads.push_back(compiler.read(quantize.inputs[0], layout));
  step.writes.push_back(compiler.write(group.result(compiler.graph()), layout));
  step.may_overwrite = step.reads[0];
  step.step = std::make_unique<FakeQuantizeStep>(grid_of(compiler, quantize, clip),
                                                 element_count(compiler.shape(quantize.inputs[0])), step.reads[0],
                                                 step.writes[0]);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace cleave::exec::fast
