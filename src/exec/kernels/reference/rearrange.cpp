#include <algorithm>
#include <numeric>
#include <vector>

#include "exec/kernels/movement.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

std::size_t element_bytes(const KernelCall& call) {
  return dtype_bytes(call.out().dtype);
}

/// Offset in bytes of element `index` along `axis`.
std::ptrdiff_t byte_offset(const Strides& strides, std::size_t axis, std::int64_t index, std::size_t bytes) {
  return strides[axis] * index * static_cast<std::ptrdiff_t>(bytes);
}

std::vector<std::int64_t> iota_table(std::int64_t count) {
  std::vector<std::int64_t> table(static_cast<std::size_t>(count));
  std::iota(table.begin(), table.end(), std::int64_t{0});
  return table;
}

/// The dimensions of `shape` with `axis` split in two, and the strides that go with it.
struct Split2 {
  Shape shape;
  Strides strides;
};

void split_axis(Split2& view, std::size_t axis, std::int64_t outer, std::int64_t inner) {
  const auto at = static_cast<std::ptrdiff_t>(axis);
  const std::int64_t stride = view.strides[axis];
  view.shape[axis] = outer;
  view.strides[axis] = stride * inner;
  view.shape.insert(view.shape.begin() + at + 1, inner);
  view.strides.insert(view.strides.begin() + at + 1, stride);
}

/// The parts must fill the axis as the sizes (where given) say.
void require_parts(const KernelCall& call, std::size_t axis) {
  const DimList sizes = call.in(1).present() ? dims_of(call.in(1)) : DimList();
  DimList part(call.in(0).shape);
  std::int64_t left = part[axis];
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    part[axis] = i < sizes.size() ? sizes[i] : call.out(i).shape[axis];
    require_shape(call, part, i);
    left -= part[axis];
  }
  if (left != 0) throw bad_value(call, "the parts do not fill the axis");
}

/// numpy's rule for two shapes.
Shape broadcast(const KernelCall& call, Shape a, Shape b) {
  if (a.size() < b.size()) std::swap(a, b);
  const std::size_t missing = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    std::int64_t& dim = a[missing + i];
    if (dim != b[i] && dim != 1 && b[i] != 1)
      throw bad_value(call, "a size of " + std::to_string(b[i]) + " does not fit");
    if (dim == 1) dim = b[i];
  }
  return a;
}

}  // namespace

void transpose(const KernelCall& call) {
  const InputView& in = call.in(0);
  const auto found = call.node.attributes.find("perm");
  const auto* perm = found == call.node.attributes.end() ? nullptr : std::get_if<Shape>(&found->second);
  DimList strides;
  for (std::size_t i = 0; i < in.shape.size(); ++i) {
    strides.push_back(in.strides[perm == nullptr ? in.shape.size() - 1 - i : static_cast<std::size_t>((*perm)[i])]);
  }
  strided_copy(element_bytes(call), call.out().shape, call.out().data, call.out().strides, in.data, strides);
}

void concat(const KernelCall& call) {
  const OutputView& out = call.out();
  const std::size_t axis = axis_index(call.node.integer("axis", 0), out.shape.size());
  std::int64_t at = 0;
  for (const InputView& in : call.inputs) {
    strided_copy(element_bytes(call), in.shape, out.data + byte_offset(out.strides, axis, at, element_bytes(call)),
                 out.strides, in.data, in.strides);
    at += in.shape[axis];
  }
}

void split(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::size_t axis = axis_index(call.node.integer("axis", 0), in.shape.size());
  require_parts(call, axis);
  std::int64_t at = 0;
  for (const OutputView& out : call.outputs) {
    const std::size_t bytes = dtype_bytes(in.dtype);
    strided_copy(bytes, out.shape, out.data, out.strides, in.data + byte_offset(in.strides, axis, at, bytes),
                 in.strides);
    at += out.shape[axis];
  }
}

void expand(const KernelCall& call) {
  const InputView& in = call.in(0);
  const OutputView& out = call.out();
  require_shape(call, broadcast(call, in.shape, checked_sizes(call, integers_of(call.in(1)))));
  strided_copy(element_bytes(call), out.shape, out.data, out.strides, in.data,
               broadcast_strides(in.shape, in.strides, out.shape));
}

void tile(const KernelCall& call) {
  const InputView& in = call.in(0);
  Shape tiled = checked_sizes(call, integers_of(call.in(1)));
  for (std::size_t i = 0; i < std::min(tiled.size(), in.shape.size()); ++i) tiled[i] *= in.shape[i];
  require_shape(call, tiled);
  AxisTables tables;
  for (std::size_t axis = 0; axis < in.shape.size(); ++axis) {
    tables.push_back(iota_table(call.out().shape[axis]));
    for (auto& index : tables.back()) index %= in.shape[axis];
  }
  copy_by_tables(element_bytes(call), in, call.out(), tables, nullptr);
}

void depth_to_space(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::int64_t block = call.node.integer("blocksize", 1);
  const std::int64_t depth = in.shape[1] / (block * block);
  Split2 from{in.shape, in.strides};
  Split2 to{call.out().shape, call.out().strides};
  split_axis(to, 3, in.shape[3], block);
  split_axis(to, 2, in.shape[2], block);  // N, C', H, b, W, b
  const bool column_row = call.node.text("mode", "DCR") == "CRD";
  split_axis(from, 1, column_row ? depth * block : block * block, column_row ? block : depth);
  split_axis(from, 1, column_row ? depth : block, block);  // CRD: N, C', b, b, H, W; DCR: N, b, b, C', H, W
  const Strides& s = from.strides;
  const Strides strides =
      column_row ? Strides{s[0], s[1], s[4], s[2], s[5], s[3]} : Strides{s[0], s[3], s[4], s[1], s[5], s[2]};
  strided_copy(element_bytes(call), to.shape, call.out().data, to.strides, in.data, strides);
}

void space_to_depth(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::int64_t block = call.node.integer("blocksize", 1);
  Split2 from{in.shape, in.strides};
  split_axis(from, 3, in.shape[3] / block, block);
  split_axis(from, 2, in.shape[2] / block, block);  // N, C, H', b, W', b
  Split2 to{call.out().shape, call.out().strides};
  split_axis(to, 1, block * block, in.shape[1]);
  split_axis(to, 1, block, block);  // N, b, b, C, H', W'
  const Strides& s = from.strides;
  const Strides strides{s[0], s[3], s[5], s[1], s[2], s[4]};
  strided_copy(element_bytes(call), to.shape, call.out().data, to.strides, in.data, strides);
}

}  // namespace cleave::exec::reference
