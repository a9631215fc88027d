#include <cstring>
#include <numeric>

#include "exec/kernels/fast/lowerings.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;
using graph::TensorId;

/// Channel c of each pixel comes from channel table[c]; channels-last.
template <typename T>
class ShuffleStep : public Step {
 public:
  ShuffleStep(std::vector<std::int32_t> table, std::int64_t pixels, SlotId from, SlotId to)
      : table_(std::move(table)), pixels_(pixels), from_(from), to_(to) {}

  void run(const RunContext& context) override {
    const auto channels = static_cast<std::int64_t>(table_.size());
    const auto* x = reinterpret_cast<const T*>(context.at(from_));
    auto* y = reinterpret_cast<T*>(context.at(to_));
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

/// The same places in memory, ignoring dimensions of size 1.
bool same_places(const Shape& shape, const Strides& a, const Strides& b) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

bool shuffle_channels(Compiler& compiler, const Group& group, TensorId from, TensorId to) {
  const std::size_t bytes = dtype_bytes(compiler.dtype(from));
  if (compiler.layout_at_hand(from) != Layout::kChannelsLast || (bytes != 1 && bytes != 4)) return false;
  const Shape& split = compiler.shape(group.node(compiler.graph()).outputs[0]);
  const auto groups = static_cast<std::int32_t>(split[1]);
  const auto width = static_cast<std::int32_t>(split[2]);
  std::vector<std::int32_t> table;
  for (std::int32_t i = 0; i < width; ++i) {
    for (std::int32_t g = 0; g < groups; ++g) table.push_back(g * width + i);
  }
  const std::int64_t pixels = split[0] * split[3] * split[4];
  ScheduledStep step;
  step.reads.push_back(compiler.read(from, Layout::kChannelsLast));
  step.writes.push_back(compiler.write(to, Layout::kChannelsLast));
  if (bytes == 1) {
    step.step = std::make_unique<ShuffleStep<std::uint8_t>>(std::move(table), pixels, step.reads[0], step.writes[0]);
  } else {
    step.step = std::make_unique<ShuffleStep<float>>(std::move(table), pixels, step.reads[0], step.writes[0]);
  }
  compiler.emit(std::move(step));
  return true;
}

bool is_settled_renaming(const Compiler& compiler, const Node& node) {
  const bool known = node.input(1) == TensorId::kNone || compiler.constant(node.input(1)) != nullptr;
  return known && element_count(compiler.shape(node.inputs[0])) == element_count(compiler.shape(node.outputs[0]));
}

void alias_reshaped(Compiler& compiler, TensorId from, TensorId to) {
  const bool same_shape = compiler.shape(from) == compiler.shape(to);
  const Layout layout = same_shape ? compiler.layout_at_hand(from) : Layout::kPlain;
  compiler.alias(to, layout, compiler.read(from, layout));
}

bool alias_transposed(Compiler& compiler, const Node& node, TensorId from, TensorId to) {
  const auto perm = node.integers("perm");
  if (compiler.constant(from) != nullptr || perm.size() != compiler.shape(from).size()) return false;
  const Layout at_hand = compiler.layout_at_hand(from);
  const Strides strides = strides_of(compiler.shape(from), at_hand);
  Strides turned;
  for (const std::int64_t axis : perm) turned.push_back(strides[static_cast<std::size_t>(axis)]);
  for (const Layout layout : {Layout::kPlain, Layout::kChannelsLast}) {
    if (!same_places(compiler.shape(to), turned, strides_of(compiler.shape(to), layout))) continue;
    compiler.alias(to, layout, compiler.read(from, at_hand));
    return true;
  }
  return false;
}

bool lower_reshape(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (!group.followers.empty()) {
    return shuffle_channels(compiler, group, node.inputs[0], group.result(compiler.graph()));
  }
  if (compiler.constant(node.inputs[0]) != nullptr || !is_settled_renaming(compiler, node)) return false;
  alias_reshaped(compiler, node.inputs[0], node.outputs[0]);
  return true;
}

bool lower_transpose(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  return alias_transposed(compiler, node, node.inputs[0], node.outputs[0]);
}

}  // namespace cleave::exec::fast
