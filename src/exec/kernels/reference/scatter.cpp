#include <algorithm>
#include <cstring>
#include <string_view>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

template <typename T>
using Merge = T (*)(T current, T update);

template <typename T>
Merge<T> merge_of(const std::string& reduction) {
  if (reduction == "add") return [](T a, T b) { return static_cast<T>(a + b); };
  if (reduction == "mul") return [](T a, T b) { return static_cast<T>(a * b); };
  if (reduction == "max") return [](T a, T b) { return std::max(a, b); };
  if (reduction == "min") return [](T a, T b) { return std::min(a, b); };
  return [](T, T b) { return b; };
}

/// Calls body(tag) with an unsigned type of the elements' width when nothing is computed, else with their type.
template <typename Body>
void dispatch_scatter(const KernelCall& call, Body&& body) {
  const DType dtype = call.in(0).dtype;
  if (call.node.text("reduction", "none") == "none") return dispatch_bytes(dtype_bytes(dtype), body);
  dispatch_number(dtype, body);
}

/// Leading dimensions of `shape`.
Shape head(const Shape& shape, std::size_t count) {
  return {shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(count)};
}

Shape tail(const Shape& shape, std::size_t from) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(from), shape.end()};
}

/// The size of an index tuple: the last dimension of the indices.
std::size_t tuple_size(const KernelCall& call) {
  const Shape& indices = call.in(1).shape;
  const std::int64_t size = indices.empty() ? 0 : indices.back();
  if (size < 1 || size > static_cast<std::int64_t>(call.in(0).shape.size())) {
    throw bad_value(call, "index tuples of " + std::to_string(size) + " do not fit the data's rank");
  }
  return static_cast<std::size_t>(size);
}

/// Row of the slice of data that the tuple stands for.
std::int64_t slice_row(const KernelCall& call, const std::int64_t* tuple, std::size_t size, std::size_t first_dim) {
  std::int64_t row = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t dim = call.in(0).shape[first_dim + i];
    row = row * dim + checked_index(call, tuple[i], dim);
  }
  return row;
}

}  // namespace

void scatter_elements(const KernelCall& call) {
  const InputView& in = call.in(0);
  const InputView& updates = call.in(2);
  const auto indices = integers_of(call.in(1));
  const std::size_t axis = axis_index(call.node.integer("axis", 0), in.shape.size());
  const Shape& shape = call.in(1).shape;
  if (updates.shape != shape || shape.size() != in.shape.size()) {
    throw bad_value(call, "indices and updates must have one shape, of the data's rank");
  }
  copy(call);
  dispatch_scatter(call, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Merge<T> merge = merge_of<T>(call.node.text("reduction", "none"));
    const Strides strides = strides_of(shape, Layout::kPlain);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      std::int64_t target = 0;
      auto rest = static_cast<std::int64_t>(i);
      for (std::size_t d = 0; d < shape.size(); ++d) {
        const std::int64_t position = d == axis ? indices[i] : rest / strides[d];
        rest %= strides[d];
        target += in.strides[d] * checked_index(call, position, in.shape[d]);
      }
      T& slot = call.out().as<T>()[target];
      slot = merge(slot, updates.as<T>()[i]);
    }
  });
}

void scatter_nd(const KernelCall& call) {
  const InputView& in = call.in(0);
  const InputView& updates = call.in(2);
  const std::size_t size = tuple_size(call);
  const auto indices = integers_of(call.in(1));
  const Shape slice = tail(in.shape, size);
  Shape wanted = head(call.in(1).shape, call.in(1).shape.size() - 1);
  wanted.insert(wanted.end(), slice.begin(), slice.end());
  if (updates.shape != wanted) throw bad_value(call, "updates must have the shape " + shape_text(wanted));
  copy(call);
  const std::int64_t width = element_count(slice);
  dispatch_scatter(call, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Merge<T> merge = merge_of<T>(call.node.text("reduction", "none"));
    const T* from = updates.as<T>();
    for (std::size_t i = 0; i < indices.size(); i += size, from += width) {
      T* to = call.out().as<T>() + slice_row(call, indices.data() + i, size, 0) * width;
      std::transform(to, to + width, from, to, merge);
    }
  });
}

void gather_nd(const KernelCall& call) {
  const InputView& in = call.in(0);
  const auto batch_dims = static_cast<std::size_t>(call.node.integer("batch_dims", 0));
  const Shape& shape = call.in(1).shape;
  const std::size_t size = shape.empty() || shape.back() < 0 ? 0 : static_cast<std::size_t>(shape.back());
  if (batch_dims >= shape.size() || batch_dims + size > in.shape.size() || size == 0 ||
      head(shape, batch_dims) != head(in.shape, batch_dims)) {
    throw bad_value(call, "its indices do not fit its data");
  }
  const auto indices = integers_of(call.in(1));
  const std::int64_t batches = element_count(head(shape, batch_dims));
  const std::int64_t per_batch = batches == 0 ? 0 : static_cast<std::int64_t>(indices.size() / size) / batches;
  const std::int64_t rows_per_batch =
      batches == 0 ? 0
                   : element_count(tail(in.shape, batch_dims)) /
                         std::max<std::int64_t>(element_count(tail(in.shape, batch_dims + size)), 1);
  const std::size_t bytes =
      static_cast<std::size_t>(element_count(tail(in.shape, batch_dims + size))) * dtype_bytes(in.dtype);
  if (bytes == 0) return;
  std::byte* target = call.out().data;
  for (std::int64_t i = 0; i < batches * per_batch; ++i, target += bytes) {
    const std::int64_t row = slice_row(call, indices.data() + static_cast<std::size_t>(i) * size, size, batch_dims);
    std::memcpy(target, in.data + static_cast<std::size_t>(i / per_batch * rows_per_batch + row) * bytes, bytes);
  }
}

}  // namespace cleave::exec::reference
