#include <cstring>
#include <numeric>

#include "exec/kernels/fast/lowerings.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;
using graph::TensorId;

/// Channel c of each pixel comes from channel table[c]; channels-last.
class ShuffleStep : public Step {
 public:
  ShuffleStep(std::vector<std::int32_t> table, std::int64_t pixels, SlotId from, SlotId to)
      : table_(std::move(table)), pixels_(pixels), from_(from), to_(to) {}

  void run(const RunContext& context) override {
    const auto channels = static_cast<std::int64_t>(table_.size());
    const auto* x = reinterpret_cast<const float*>(context.at(from_));
    auto* y = reinterpret_cast<float*>(context.at(to_));
    for (std::int64_t p = 0; p < pixels_; ++p, x += channels, y += channels) {
      for (std::int64_t c = 0; c < channels; ++c) y[c] = x[table_[static_cast<std::size_t>(c)]];
    }
  }

 private:
  std::vector<std::int32_t> table_;
  std::int64_t pixels_;
  SlotId from_;
  SlotId to_;
};

bool lower_shuffle(Compiler& compiler, const Group& group) {
  const Node& open = group.node(compiler.graph());
  const TensorId source = open.inputs[0];
  if (compiler.layout_at_hand(source) != Layout::kChannelsLast || compiler.dtype(source) != DType::kFloat32) {
    return false;
  }
  const Shape& split = compiler.shape(open.outputs[0]);
  const auto groups = static_cast<std::int32_t>(split[1]);
  const auto width = static_cast<std::int32_t>(split[2]);
  std::vector<std::int32_t> table;
  for (std::int32_t i = 0; i < width; ++i) {
    for (std::int32_t g = 0; g < groups; ++g) table.push_back(g * width + i);
  }
  ScheduledStep step;
  step.reads.push_back(compiler.read(source, Layout::kChannelsLast));
  step.writes.push_back(compiler.write(group.result(compiler.graph()), Layout::kChannelsLast));
  step.step =
      std::make_unique<ShuffleStep>(std::move(table), split[0] * split[3] * split[4], step.reads[0], step.writes[0]);
  compiler.emit(std::move(step));
  return true;
}

/// The same places in memory, ignoring dimensions of size 1.
bool same_places(const Shape& shape, const Strides& a, const Strides& b) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

bool lower_reshape(Compiler& compiler, const Group& group) {
  if (!group.followers.empty()) return lower_shuffle(compiler, group);
  const Node& node = group.node(compiler.graph());
  if (compiler.constant(node.inputs[0]) != nullptr) return false;
  const bool same_shape = compiler.shape(node.inputs[0]) == compiler.shape(node.outputs[0]);
  const Layout layout = same_shape ? compiler.layout_at_hand(node.inputs[0]) : Layout::kPlain;
  compiler.alias(node.outputs[0], layout, compiler.read(node.inputs[0], layout));
  return true;
}

bool lower_transpose(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const TensorId in = node.inputs[0];
  const TensorId out = node.outputs[0];
  const auto perm = node.integers("perm");
  if (compiler.constant(in) != nullptr || perm.size() != compiler.shape(in).size()) return false;
  const Layout at_hand = compiler.layout_at_hand(in);
  const Strides from = strides_of(compiler.shape(in), at_hand);
  Strides turned;
  for (const std::int64_t axis : perm) turned.push_back(from[static_cast<std::size_t>(axis)]);
  for (const Layout layout : {Layout::kPlain, Layout::kChannelsLast}) {
    if (!same_places(compiler.shape(out), turned, strides_of(compiler.shape(out), layout))) continue;
    compiler.alias(out, layout, compiler.read(in, at_hand));
    return true;
  }
  return false;
}

}  // namespace cleave::exec::fast
