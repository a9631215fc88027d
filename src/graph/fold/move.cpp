// Operators that move values without changing them.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "graph/fold/call.h"

namespace cleave::graph::fold {

namespace {

Result one(Tensor tensor) {
  std::vector<Tensor> outputs;
  outputs.push_back(std::move(tensor));
  return outputs;
}

std::size_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::size_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= static_cast<std::size_t>(shape[i]);
  return result;
}

/// start, end and step of one axis, limited as the ONNX specification of Slice says.
struct Cut1d {
  std::int64_t start;
  std::int64_t count;
  std::int64_t step;
};

Cut1d limit(const Call& call, std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t size) {
  if (step == 0) call.fail("a step is 0");
  if (size == 0) return {0, 0, 1};
  const auto from_back = [size](std::int64_t at) { return at < 0 ? at + size : at; };
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? size : size - 1;
  start = std::clamp(from_back(start), step > 0 ? low : std::int64_t{0}, high);
  end = std::clamp(from_back(end), low, high);
  const std::int64_t distance = step > 0 ? end - start : start - end;
  // Steps beyond the size all mean "one element"; limiting them keeps the arithmetic in range.
  const std::int64_t stride = std::clamp(step, -size - 1, size + 1);
  const std::int64_t width = stride > 0 ? stride : -stride;
  return {start, distance <= 0 ? 0 : (distance + width - 1) / width, stride};
}

}  // namespace

Result shape_of(const Call& call) {
  const TensorId id = call.node.input(0);
  if (id == TensorId::kNone) return std::nullopt;
  const TensorInfo& info = call.graph.tensor(id);
  const bool known = info.ranked && std::all_of(info.shape.begin(), info.shape.end(), [](auto d) { return d >= 0; });
  if (!known) return std::nullopt;
  if (call.node.op == "Size") return one(Tensor::scalar<std::int64_t>(element_count(info.shape)));
  const auto rank = static_cast<std::int64_t>(info.shape.size());
  const auto bound = [rank](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t start = bound(call.node.integer("start", 0));
  const std::int64_t end = std::max(start, bound(call.node.integer("end", rank)));
  return one(Tensor::from<std::int64_t>(
      {end - start}, std::vector<std::int64_t>(info.shape.begin() + start, info.shape.begin() + end)));
}

Result identity(const Call& call) {
  return one(call.need(0));
}

Result constant_of_shape(const Call& call) {
  const auto shape = integers_of(call.need(0));
  if (!shape || !call.affordable(*shape)) return std::nullopt;
  const auto found = call.node.attributes.find("value");
  if (found == call.node.attributes.end()) return one(Tensor(DType::kFloat32, *shape));
  const Tensor* value = std::get_if<Tensor>(&found->second);
  if (value == nullptr || value->elements() != 1) call.fail("attribute 'value' is no single number");
  return one(copy_view(*value, stretched(call, whole(Shape{}), *shape)));
}

Result range(const Call& call) {
  const auto start = integers_of(call.need(0));
  const auto limit_value = integers_of(call.need(1));
  const auto delta = integers_of(call.need(2));
  if (!start || !limit_value || !delta) return std::nullopt;
  if (start->size() != 1 || limit_value->size() != 1 || delta->size() != 1)
    call.fail("its inputs are no single numbers");
  const std::int64_t first = start->front();
  const std::int64_t end = limit_value->front();
  const std::int64_t step = delta->front();
  if (step == 0) call.fail("the step is 0");
  constexpr std::int64_t kSane = std::int64_t{1} << 53;
  for (const std::int64_t value : {first, end, step}) {
    if (value < -kSane || value > kSane) return std::nullopt;
  }
  const std::int64_t count = step > 0 ? (end - first + step - 1) / step : (first - end - step - 1) / -step;
  if (!call.affordable({std::max<std::int64_t>(count, 0)})) return std::nullopt;
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(first + i * step);
  Tensor result = Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
  if (call.need(0).dtype() == DType::kInt64) return one(result);
  const std::vector<std::int32_t> narrow(values.begin(), values.end());
  return one(Tensor::from<std::int32_t>(result.shape(), narrow));
}

Result reshape(const Call& call) {
  const Tensor& data = call.need(0);
  auto shape = call.list(1, "shape");
  if (!shape) call.fail("the new shape is missing");
  const bool zero_is_zero = call.node.integer("allowzero", 0) != 0;
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::size_t i = 0; i < shape->size(); ++i) {
    std::int64_t& dimension = (*shape)[i];
    if (dimension == 0 && !zero_is_zero) dimension = i < data.shape().size() ? data.shape()[i] : 0;
    if (dimension == -1 && open == nullptr) {
      open = &dimension;
    } else if (dimension < 0) {
      call.fail("the new shape makes no sense");
    }
  }
  if (open != nullptr) {
    *open = 1;
    known = element_count(*shape);
    if (known == 0 || data.elements() % known != 0) call.fail("the new shape does not fit the data");
    *open = data.elements() / known;
  }
  if (element_count(*shape) != data.elements()) call.fail("the new shape does not fit the data");
  return one(data.reshaped(*shape));
}

Result flatten(const Call& call) {
  const Tensor& data = call.need(0);
  const auto rank = static_cast<std::int64_t>(data.shape().size());
  const std::int64_t axis = call.node.integer("axis", 1);
  if (axis < -rank || axis > rank) call.fail("axis " + std::to_string(axis) + " does not exist");
  const auto split_at = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  const auto outer = static_cast<std::int64_t>(product(data.shape(), 0, split_at));
  const auto inner = static_cast<std::int64_t>(product(data.shape(), split_at, data.shape().size()));
  return one(data.reshaped({outer, inner}));
}

Result squeeze(const Call& call) {
  const Tensor& data = call.need(0);
  const auto axes = call.list(1, "axes");
  std::vector<bool> drop(data.shape().size(), false);
  for (std::size_t i = 0; !axes && i < drop.size(); ++i) drop[i] = data.shape()[i] == 1;
  for (const std::int64_t axis : axes.value_or(std::vector<std::int64_t>{})) {
    const std::size_t at = call.axis(axis, drop.size());
    if (data.shape()[at] != 1) call.fail("dimension " + std::to_string(at) + " is not 1");
    drop[at] = true;
  }
  Shape shape;
  for (std::size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i]) shape.push_back(data.shape()[i]);
  }
  return one(data.reshaped(shape));
}

Result unsqueeze(const Call& call) {
  const Tensor& data = call.need(0);
  const auto axes = call.list(1, "axes");
  if (!axes) call.fail("the axes are missing");
  const std::size_t rank = data.shape().size() + axes->size();
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : *axes) {
    const std::size_t at = call.axis(axis, rank);
    if (added[at]) call.fail("axis " + std::to_string(axis) + " is given twice");
    added[at] = true;
  }
  Shape shape;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(added[i] ? 1 : data.shape()[next++]);
  return one(data.reshaped(shape));
}

Result transpose(const Call& call) {
  const Tensor& data = call.need(0);
  const std::size_t rank = data.shape().size();
  std::vector<std::int64_t> order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(rank - 1 - i);
  order = call.node.integers("perm", order);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> expected(rank);
  std::iota(expected.begin(), expected.end(), 0);
  if (sorted != expected) call.fail("'perm' is no permutation");
  const View view = whole(data.shape());
  View turned{{}, 0, {}};
  for (const std::int64_t axis : order) {
    turned.shape.push_back(view.shape[static_cast<std::size_t>(axis)]);
    turned.strides.push_back(view.strides[static_cast<std::size_t>(axis)]);
  }
  return one(copy_view(data, turned));
}

Result slice(const Call& call) {
  const Tensor& data = call.need(0);
  const std::size_t rank = data.shape().size();
  const auto starts = call.list(1, "starts");
  const auto ends = call.list(2, "ends");
  if (!starts || !ends || starts->size() != ends->size()) call.fail("starts and ends do not match");
  std::vector<std::int64_t> axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = call.list(3, "axes").value_or(axes);
  const auto steps = call.list(4, "steps").value_or(std::vector<std::int64_t>(starts->size(), 1));
  if (axes.size() != starts->size() || steps.size() != starts->size()) call.fail("axes or steps do not match starts");
  View view = whole(data.shape());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = call.axis(axes[i], rank);
    const Cut1d cut = limit(call, (*starts)[i], (*ends)[i], steps[i], data.shape()[axis]);
    if (cut.count > 0) view.offset += cut.start * view.strides[axis];
    view.shape[axis] = cut.count;
    view.strides[axis] *= cut.step;
  }
  return one(copy_view(data, view));
}

Result gather(const Call& call) {
  const Tensor& data = call.need(0);
  const auto indices = integers_of(call.need(1));
  if (!indices) return std::nullopt;
  const std::size_t axis = call.axis(call.node.integer("axis", 0), data.shape().size());
  Shape shape(data.shape().begin(), data.shape().begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), call.need(1).shape().begin(), call.need(1).shape().end());
  shape.insert(shape.end(), data.shape().begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.shape().end());
  if (!call.affordable(shape)) return std::nullopt;
  Tensor result(data.dtype(), shape);
  if (result.elements() == 0) return one(result);
  const std::size_t outer = product(data.shape(), 0, axis);
  const std::size_t inner = product(data.shape(), axis + 1, data.shape().size()) * dtype_bytes(data.dtype());
  const std::int64_t size = data.shape()[axis];
  std::byte* target = result.mutable_raw().data();
  for (std::size_t o = 0; o < outer; ++o) {
    for (const std::int64_t wanted : *indices) {
      if (wanted < -size || wanted >= size) call.fail("index " + std::to_string(wanted) + " is outside");
      const auto at = static_cast<std::size_t>(wanted < 0 ? wanted + size : wanted);
      const std::size_t from = (o * static_cast<std::size_t>(size) + at) * inner;
      if (inner > 0) std::memcpy(target, data.raw().data() + from, inner);
      target += inner;
    }
  }
  return one(result);
}

Result concat(const Call& call) {
  const Tensor& first = call.need(0);
  const std::size_t axis = call.axis(call.node.integer("axis", 0), first.shape().size());
  Shape shape = first.shape();
  shape[axis] = 0;
  for (std::size_t i = 0; i < call.in.size(); ++i) {
    Shape part = call.need(i).shape();
    if (part.size() != shape.size() || call.need(i).dtype() != first.dtype()) call.fail("its inputs do not match");
    if (__builtin_add_overflow(shape[axis], part[axis], &shape[axis])) call.fail("the result is too large");
    part[axis] = shape[axis];
    if (part != shape) call.fail("its inputs do not match");
  }
  if (!call.affordable(shape)) return std::nullopt;
  Tensor result(first.dtype(), shape);
  if (result.elements() == 0) return one(result);
  const std::size_t outer = product(shape, 0, axis);
  std::byte* target = result.mutable_raw().data();
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < call.in.size(); ++i) {
      const std::size_t piece = call.need(i).bytes() / outer;
      if (piece > 0) std::memcpy(target, call.need(i).raw().data() + o * piece, piece);
      target += piece;
    }
  }
  return one(result);
}

Result split(const Call& call) {
  const Tensor& data = call.need(0);
  const std::size_t axis = call.axis(call.node.integer("axis", 0), data.shape().size());
  const auto count = static_cast<std::int64_t>(call.node.outputs.size());
  const std::int64_t size = data.shape()[axis];
  const std::int64_t piece = (size + count - 1) / count;
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < count; ++i) sizes.push_back(std::clamp<std::int64_t>(size - i * piece, 0, piece));
  sizes = call.list(1, "split").value_or(sizes);
  if (sizes.size() != call.node.outputs.size()) call.fail("sizes and outputs do not match");
  View view = whole(data.shape());
  std::vector<Tensor> parts;
  std::int64_t at = 0;
  for (const std::int64_t part : sizes) {
    if (part < 0 || part > size - at) call.fail("the sizes do not add up");
    View window = view;
    window.shape[axis] = part;
    window.offset = at * view.strides[axis];
    parts.push_back(copy_view(data, window));
    at += part;
  }
  return parts;
}

Result expand(const Call& call) {
  const Tensor& data = call.need(0);
  const auto wanted = integers_of(call.need(1));
  if (!wanted) return std::nullopt;
  element_count(*wanted);
  const Shape shape = broadcast_shape(call, data.shape(), *wanted);
  if (!call.affordable(shape)) return std::nullopt;
  return one(copy_view(data, stretched(call, whole(data.shape()), shape)));
}

Result tile(const Call& call) {
  const Tensor& data = call.need(0);
  const auto repeats = integers_of(call.need(1));
  if (!repeats) return std::nullopt;
  if (repeats->size() != data.shape().size()) call.fail("repeats and dimensions do not match");
  const View view = whole(data.shape());
  View repeated{{}, 0, {}};  // each axis as (repeat, dimension): the repeat has stride 0
  Shape shape;
  for (std::size_t i = 0; i < repeats->size(); ++i) {
    repeated.shape.insert(repeated.shape.end(), {(*repeats)[i], view.shape[i]});
    repeated.strides.insert(repeated.strides.end(), {0, view.strides[i]});
  }
  if (!call.affordable(repeated.shape)) return std::nullopt;
  for (std::size_t i = 0; i < repeats->size(); ++i) shape.push_back((*repeats)[i] * view.shape[i]);
  return one(copy_view(data, repeated).reshaped(shape));
}

}  // namespace cleave::graph::fold
