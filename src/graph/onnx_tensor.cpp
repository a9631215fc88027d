#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "graph/onnx_codec.h"

namespace cleave::graph {

namespace {

Error bad_tensor(const onnx::TensorProto& proto, const std::string& what) {
  return Error(ErrorKind::kInvalidInput, "tensor '" + proto.name() + "': " + what);
}

Error unsupported_tensor(const onnx::TensorProto& proto, const std::string& what) {
  return Error(ErrorKind::kUnsupported, "tensor '" + proto.name() + "': " + what);
}

bool is_aligned(const void* data, std::size_t bytes) {
  return bytes <= 1 || reinterpret_cast<std::uintptr_t>(data) % bytes == 0;
}

Tensor borrow_or_copy(DType dtype, const Shape& shape, std::span<const std::byte> bytes,
                      std::shared_ptr<const void> owner) {
  if (is_aligned(bytes.data(), dtype_bytes(dtype))) return Tensor(dtype, shape, bytes, std::move(owner));
  Tensor copy(dtype, shape);
  std::copy(bytes.begin(), bytes.end(), copy.mutable_raw().begin());
  return copy;
}

/// Elements of `shape`, or an error when dimensions make no sense.
std::int64_t checked_count(const onnx::TensorProto& proto, const Shape& shape, DType dtype) {
  const std::size_t element_bytes = std::max<std::size_t>(dtype_bytes(dtype), 1);
  std::int64_t count = 0;
  try {
    count = element_count(shape);
  } catch (const Error& error) {
    throw error.within("tensor '" + proto.name() + "'");
  }
  if (count > std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(element_bytes)) {
    throw bad_tensor(proto, "shape " + shape_text(shape) + " needs more bytes than 64 bits can count");
  }
  return count;
}

std::int64_t whole_number(const onnx::TensorProto& proto, const std::string& key, const std::string& text) {
  const auto value = parse_integer(text);
  if (!value || *value < 0) throw bad_tensor(proto, "external data: '" + key + "' is '" + text + "', not a size");
  return *value;
}

ExternalData::Piece read_external(const onnx::TensorProto& proto, ExternalData& external) {
  constexpr std::array<std::string_view, 5> kKeys{"location", "offset", "length", "checksum", "basepath"};
  std::string location;
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;
  for (const auto& entry : proto.external_data()) {
    const std::string& key = entry.key();
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      throw bad_tensor(proto, "external data: unknown key '" + key + "'");
    }
    if (key == "location") location = entry.value();
    if (key == "offset") offset = whole_number(proto, key, entry.value());
    if (key == "length") length = whole_number(proto, key, entry.value());
  }
  try {
    return external.read(location, offset, length);
  } catch (const Error& error) {
    throw error.within("tensor '" + proto.name() + "'");
  }
}

void require_size(const onnx::TensorProto& proto, const Shape& shape, std::size_t has, std::size_t wanted,
                  const char* unit) {
  if (has == wanted) return;
  throw bad_tensor(proto, "holds " + std::to_string(has) + " " + unit + ", but its shape " + shape_text(shape) +
                              " needs " + std::to_string(wanted));
}

template <typename Field>
Tensor borrow_field(const onnx::TensorProto& proto, DType dtype, const Shape& shape, std::size_t count,
                    const Field& field, std::shared_ptr<const void> owner) {
  require_size(proto, shape, static_cast<std::size_t>(field.size()), count, "values");
  return borrow_or_copy(dtype, shape, std::as_bytes(std::span(field.data(), count)), std::move(owner));
}

/// Narrow types travel in wider fields: keeps the low bytes of each value (little endian).
template <typename Field>
Tensor narrow_field(const onnx::TensorProto& proto, DType dtype, const Shape& shape, std::size_t count,
                    const Field& field) {
  require_size(proto, shape, static_cast<std::size_t>(field.size()), count, "values");
  Tensor tensor(dtype, shape);
  const std::size_t width = dtype_bytes(dtype);
  std::byte* target = tensor.mutable_raw().data();
  for (const auto value : field) {
    std::memcpy(target, &value, width);
    target += width;
  }
  return tensor;
}

/// 4-bit elements travel as the bytes that hold them, one byte to a value.
Tensor packed_field(const onnx::TensorProto& proto, DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  require_size(proto, shape, static_cast<std::size_t>(proto.int32_data_size()), tensor.bytes(), "values");
  std::transform(proto.int32_data().begin(), proto.int32_data().end(), tensor.mutable_raw().begin(),
                 [](std::int32_t value) { return static_cast<std::byte>(value & 0xff); });
  return tensor;
}

Tensor read_fields(const onnx::TensorProto& proto, DType dtype, const Shape& shape, std::size_t count,
                   const std::shared_ptr<const void>& owner) {
  switch (dtype) {
    case DType::kFloat32:
      return borrow_field(proto, dtype, shape, count, proto.float_data(), owner);
    case DType::kFloat64:
      return borrow_field(proto, dtype, shape, count, proto.double_data(), owner);
    case DType::kInt64:
      return borrow_field(proto, dtype, shape, count, proto.int64_data(), owner);
    case DType::kInt32:
      return borrow_field(proto, dtype, shape, count, proto.int32_data(), owner);
    case DType::kUint64:
      return borrow_field(proto, dtype, shape, count, proto.uint64_data(), owner);
    case DType::kUint4:
    case DType::kInt4:
      return packed_field(proto, dtype, shape);
    case DType::kUint32:
      return narrow_field(proto, dtype, shape, count, proto.uint64_data());
    default:
      return narrow_field(proto, dtype, shape, count, proto.int32_data());
  }
}

template <typename Bits>
bool has_bad_bits(const Tensor& tensor, Bits exponent, Bits mantissa) {
  const std::span<const std::byte> raw = tensor.raw();
  bool nan = false;
  bool infinite = false;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    Bits bits;
    std::memcpy(&bits, raw.data() + static_cast<std::size_t>(i) * sizeof(Bits), sizeof(Bits));
    if ((bits & exponent) != exponent) continue;
    nan |= (bits & mantissa) != 0;
    infinite = true;
  }
  return nan || (infinite && tensor.elements() > 1);
}

}  // namespace

Tensor read_tensor(const onnx::TensorProto& proto, const std::shared_ptr<const void>& owner, ExternalData& external) {
  const auto dtype = static_cast<DType>(proto.data_type());
  if (dtype_bytes(dtype) == 0 && !is_packed(dtype)) {
    throw unsupported_tensor(proto, "element type " + std::to_string(proto.data_type()) + " is not supported");
  }
  if (proto.has_segment()) throw unsupported_tensor(proto, "segmented tensors are not supported");
  const Shape shape(proto.dims().begin(), proto.dims().end());
  const std::int64_t count = checked_count(proto, shape, dtype);
  const std::size_t bytes = storage_bytes(dtype, count);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    const ExternalData::Piece piece = read_external(proto, external);
    require_size(proto, shape, piece.bytes.size(), bytes, "bytes");
    return borrow_or_copy(dtype, shape, piece.bytes, piece.owner);
  }
  if (proto.has_raw_data()) {
    require_size(proto, shape, proto.raw_data().size(), bytes, "bytes");
    return borrow_or_copy(dtype, shape, std::as_bytes(std::span(proto.raw_data())), owner);
  }
  return read_fields(proto, dtype, shape, static_cast<std::size_t>(count), owner);
}

Tensor take_tensor(onnx::TensorProto& proto, const std::shared_ptr<const void>& owner, ExternalData& external) {
  Tensor tensor = read_tensor(proto, owner, external);
  const bool borrowed =
      proto.has_raw_data() && tensor.raw().data() == std::as_bytes(std::span(proto.raw_data())).data();
  if (!borrowed) return tensor;
  const std::shared_ptr<const std::string> bytes(proto.release_raw_data());
  return Tensor(tensor.dtype(), tensor.shape(), std::as_bytes(std::span(*bytes)), bytes);
}

namespace {

/// Position of one listed value in the dense tensor: listed as one flat index, or as one index per dimension.
std::int64_t dense_position(const Tensor& indices, std::size_t at, const Shape& shape, const std::string& name) {
  const auto all = indices.data<std::int64_t>();
  const bool flat = indices.shape().size() == 1;
  std::int64_t position = 0;
  for (std::size_t d = 0; d < (flat ? 1 : shape.size()); ++d) {
    const std::int64_t size = flat ? element_count(shape) : shape[d];
    const std::int64_t index = flat ? all[at] : all[at * shape.size() + d];
    if (index < 0 || index >= size) {
      throw Error(ErrorKind::kInvalidInput,
                  "tensor '" + name + "': index " + std::to_string(index) + " is outside its " + shape_text(shape));
    }
    position = flat ? index : position * size + index;
  }
  return position;
}

}  // namespace

Tensor read_sparse_tensor(const onnx::SparseTensorProto& proto, const std::shared_ptr<const void>& owner,
                          ExternalData& external) {
  const std::string& name = proto.values().name();
  const Tensor values = read_tensor(proto.values(), owner, external);
  const Tensor indices = read_tensor(proto.indices(), owner, external);
  const Shape shape(proto.dims().begin(), proto.dims().end());
  const std::int64_t count = values.elements();
  const bool fits =
      indices.dtype() == DType::kInt64 && values.shape().size() == 1 &&
      (indices.shape() == Shape{count} || indices.shape() == Shape{count, static_cast<std::int64_t>(shape.size())});
  if (!fits) throw Error(ErrorKind::kInvalidInput, "tensor '" + name + "': its indices do not fit its values");
  if (has_bad_numbers(values))
    throw Error(ErrorKind::kInvalidInput, "tensor '" + name + "': contains NaN or infinite values");
  constexpr std::int64_t kMostElements = std::int64_t{1} << 29;  // a few bytes of file must not fill the memory
  if (element_count(shape) > kMostElements) {
    throw Error(ErrorKind::kUnsupported, "tensor '" + name + "': too large to be written out densely");
  }
  Tensor dense(values.dtype(), shape);
  const std::size_t size = dtype_bytes(values.dtype());
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const auto at = static_cast<std::size_t>(dense_position(indices, i, shape, name));
    std::memcpy(dense.mutable_raw().data() + at * size, values.raw().data() + i * size, size);
  }
  return dense;
}

void write_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(static_cast<std::int32_t>(tensor.dtype()));
  for (const std::int64_t dimension : tensor.shape()) proto.add_dims(dimension);
  const std::span<const std::byte> raw = tensor.raw();
  if (raw.empty()) {
    proto.set_raw_data("");
  } else {
    proto.set_raw_data(raw.data(), raw.size());
  }
}

TensorInfo read_value_info(const onnx::ValueInfoProto& proto) {
  TensorInfo info;
  info.name = proto.name();
  if (!proto.has_type() || proto.type().value_case() == onnx::TypeProto::VALUE_NOT_SET) return info;
  if (!proto.type().has_tensor_type()) {
    throw Error(ErrorKind::kUnsupported, "'" + proto.name() + "' is no tensor (a sequence, map or optional)");
  }
  const auto& type = proto.type().tensor_type();
  info.dtype = static_cast<DType>(type.elem_type());
  info.ranked = type.has_shape();
  bool named = false;
  for (const auto& dimension : type.shape().dim()) {
    const bool known = dimension.has_dim_value() && dimension.dim_value() >= 0;
    info.shape.push_back(known ? dimension.dim_value() : -1);
    info.dimension_names.push_back(dimension.dim_param());
    named |= !dimension.dim_param().empty();
  }
  if (!named) info.dimension_names.clear();
  return info;
}

void write_value_info(const TensorInfo& info, onnx::ValueInfoProto& proto) {
  proto.set_name(info.name);
  if (info.dtype == DType::kUndefined) return;
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<std::int32_t>(info.dtype));
  if (!info.ranked) return;
  auto& shape = *type.mutable_shape();
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    auto& dimension = *shape.add_dim();
    const bool named = i < info.dimension_names.size() && !info.dimension_names[i].empty();
    if (info.shape[i] >= 0) dimension.set_dim_value(info.shape[i]);
    if (info.shape[i] < 0 && named) dimension.set_dim_param(info.dimension_names[i]);
  }
}

bool has_bad_numbers(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return has_bad_bits<std::uint32_t>(tensor, 0x7f800000u, 0x007fffffu);
    case DType::kFloat64:
      return has_bad_bits<std::uint64_t>(tensor, 0x7ff0000000000000u, 0x000fffffffffffffu);
    case DType::kFloat16:
      return has_bad_bits<std::uint16_t>(tensor, 0x7c00u, 0x03ffu);
    case DType::kBfloat16:
      return has_bad_bits<std::uint16_t>(tensor, 0x7f80u, 0x007fu);
    default:
      return false;
  }
}

}  // namespace cleave::graph
