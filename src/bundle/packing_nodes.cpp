#include "bundle/packing_nodes.h"

#include "core/tensor.h"
#include "quant/packing.h"

namespace cleave::bundle {

using graph::GraphBuilder;
using graph::TensorId;
using quant::BitGroup;

namespace {

constexpr std::int64_t kCodes = 256;

Tensor integers(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

std::int64_t mask(const BitGroup& group) {
  return (std::int64_t{1} << group.width) - 1;
}

/// Adds nodes whose tensors are all called "<prefix>::<what>".
class Writer {
 public:
  Writer(GraphBuilder& builder, std::string prefix) : builder_(builder), prefix_(std::move(prefix)) {}

  TensorId constant(const std::string& what, Tensor value) {
    return builder_.constant(builder_.free_name(prefix_ + "::" + what), std::move(value));
  }
  /// A node with one output of known type and shape.
  TensorId node(const std::string& op, std::vector<TensorId> inputs, const std::string& what, DType dtype, Shape shape,
                std::map<std::string, graph::AttributeValue> attributes = {}) {
    return named_node(op, std::move(inputs), builder_.free_name(prefix_ + "::" + what), dtype, std::move(shape),
                      std::move(attributes));
  }
  TensorId named_node(const std::string& op, std::vector<TensorId> inputs, const std::string& output, DType dtype,
                      Shape shape, std::map<std::string, graph::AttributeValue> attributes = {}) {
    const TensorId id = builder_.node(op, std::move(inputs), {output}, std::move(attributes),
                                      prefix_ + "::" + op + std::to_string(count_++))[0];
    builder_.set_shape(id, dtype, std::move(shape));
    return id;
  }
  GraphBuilder& builder() { return builder_; }

 private:
  GraphBuilder& builder_;
  std::string prefix_;
  int count_ = 0;
};

// ---- to bytes

/// lut[code] = the group's bits of the code.
Tensor group_lut(const BitGroup& group) {
  Tensor lut(DType::kFloat32, {kCodes});
  const auto values = lut.mutable_data<float>();
  for (std::int64_t code = 0; code < kCodes; ++code) {
    values[static_cast<std::size_t>(code)] = static_cast<float>((code >> group.shift) & mask(group));
  }
  return lut;
}

/// 2^(w t) for the t-th code of a byte.
Tensor places(const BitGroup& group) {
  std::vector<float> values;
  for (int t = 0; t < group.per_byte(); ++t) values.push_back(static_cast<float>(1 << (group.width * t)));
  return Tensor::from<float>({group.per_byte()}, values);
}

/// indices: int32 [1, elements]. Returns uint8 [1, bytes].
TensorId pack_group(Writer& writer, TensorId indices, const BitGroup& group, std::int64_t elements,
                    const std::string& output) {
  const std::string tag = std::to_string(group.shift);
  const std::int64_t bytes = group.bytes(elements);
  const std::int64_t padding = bytes * group.per_byte() - elements;
  TensorId bits = writer.node("Gather", {writer.constant("lut" + tag, group_lut(group)), indices}, "bits" + tag,
                              DType::kFloat32, {1, elements});
  if (padding > 0) {
    const TensorId zeros = writer.constant("padding" + tag, Tensor(DType::kFloat32, {1, padding}));
    bits = writer.node("Concat", {bits, zeros}, "whole" + tag, DType::kFloat32, {1, elements + padding},
                       {{"axis", std::int64_t{1}}});
  }
  const TensorId shape = writer.constant("shape" + tag, integers({1, bytes, group.per_byte()}));
  bits = writer.node("Reshape", {bits, shape}, "grouped" + tag, DType::kFloat32, {1, bytes, group.per_byte()});
  bits = writer.node("Mul", {bits, writer.constant("places" + tag, places(group))}, "placed" + tag, DType::kFloat32,
                     {1, bytes, group.per_byte()});
  bits = writer.node("ReduceSum", {bits, writer.constant("axis" + tag, integers({2}))}, "sum" + tag, DType::kFloat32,
                     {1, bytes}, {{"keepdims", std::int64_t{0}}});
  return writer.named_node("Cast", {bits}, output, DType::kUint8, {1, bytes},
                           {{"to", static_cast<std::int64_t>(DType::kUint8)}});
}

// ---- from bytes

/// lut[byte][t] = ((byte >> t w) & (2^w - 1)) << shift.
Tensor byte_lut(const BitGroup& group) {
  const int k = group.per_byte();
  Tensor lut(DType::kFloat32, {kCodes, k});
  const auto values = lut.mutable_data<float>();
  for (std::int64_t byte = 0; byte < kCodes; ++byte) {
    for (int t = 0; t < k; ++t) {
      const std::int64_t bits = (byte >> (t * group.width)) & mask(group);
      values[static_cast<std::size_t>(byte * k + t)] = static_cast<float>(bits << group.shift);
    }
  }
  return lut;
}

/// bytes: int32 [batch, bytes]. Returns this group's share of every code: float [batch, elements].
TensorId unpack_group(Writer& writer, TensorId bytes, const BitGroup& group, std::int64_t elements,
                      std::int64_t batch) {
  const std::string tag = std::to_string(group.shift);
  const std::int64_t count = group.bytes(elements);
  const std::int64_t padded = count * group.per_byte();
  const TensorId lut = writer.constant("lut" + tag, byte_lut(group));
  TensorId values = writer.node("Gather", {lut, bytes}, "looked_up" + tag, DType::kFloat32,
                                {batch, count, group.per_byte()}, {{"axis", std::int64_t{0}}});
  values = writer.node("Reshape", {values, writer.constant("flat" + tag, integers({0, -1}))}, "bits" + tag,
                       DType::kFloat32, {batch, padded});
  if (padded == elements) return values;
  const std::vector<TensorId> slice{values, writer.constant("from" + tag, integers({0})),
                                    writer.constant("to" + tag, integers({elements})),
                                    writer.constant("axis" + tag, integers({1}))};
  return writer.node("Slice", slice, "kept" + tag, DType::kFloat32, {batch, elements});
}

/// The port's bytes, one tensor per group.
std::vector<TensorId> split_groups(Writer& writer, TensorId bytes, const std::vector<BitGroup>& groups,
                                   std::int64_t elements, std::int64_t batch) {
  if (groups.size() == 1) return {bytes};
  std::vector<std::int64_t> sizes;
  std::vector<std::string> names;
  GraphBuilder& builder = writer.builder();
  const std::string stem = builder.tensor_at(bytes).name;
  for (const BitGroup& group : groups) {
    sizes.push_back(group.bytes(elements));
    names.push_back(builder.free_name(stem + "::group" + std::to_string(group.shift)));
  }
  const TensorId split = writer.constant("split", integers(sizes));
  const auto parts = builder.node("Split", {bytes, split}, names, {{"axis", std::int64_t{1}}});
  for (std::size_t j = 0; j < parts.size(); ++j) builder.set_shape(parts[j], DType::kInt32, {batch, sizes[j]});
  return parts;
}

}  // namespace

void add_packing(GraphBuilder& builder, TensorId codes, quant::Bits bits, const std::string& port) {
  Writer writer(builder, port);
  const std::int64_t elements = element_count(builder.tensor_at(codes).shape);
  const auto groups = quant::bit_groups(bits);
  const TensorId flat_shape = writer.constant("flat", integers({1, elements}));
  if (bits.count == 8) {
    writer.named_node("Reshape", {codes, flat_shape}, port, DType::kUint8, {1, elements});
    return;
  }
  const TensorId flat = writer.node("Reshape", {codes, flat_shape}, "codes", DType::kUint8, {1, elements});
  const TensorId indices = writer.node("Cast", {flat}, "indices", DType::kInt32, {1, elements},
                                       {{"to", static_cast<std::int64_t>(DType::kInt32)}});
  if (groups.size() == 1) {
    pack_group(writer, indices, groups[0], elements, port);
    return;
  }
  std::vector<TensorId> parts;
  for (const BitGroup& group : groups) {
    const std::string name = builder.free_name(port + "::bytes" + std::to_string(group.shift));
    parts.push_back(pack_group(writer, indices, group, elements, name));
  }
  writer.named_node("Concat", parts, port, DType::kUint8, {1, quant::wire_bytes(elements, bits)},
                    {{"axis", std::int64_t{1}}});
}

void add_unpacking(GraphBuilder& builder, TensorId port, const quant::AffineQuantizer& quantizer,
                   const UnpackedTensor& target) {
  const std::string prefix = builder.tensor_at(port).name;
  Writer writer(builder, prefix);
  const std::int64_t elements = element_count(target.shape);
  const std::int64_t batch = target.batchable ? -1 : 1;
  const auto groups = quant::bit_groups(quantizer.bits);
  const TensorId bytes =
      writer.node("Cast", {port}, "bytes", DType::kInt32, {batch, quant::wire_bytes(elements, quantizer.bits)},
                  {{"to", static_cast<std::int64_t>(DType::kInt32)}});
  const auto parts = split_groups(writer, bytes, groups, elements, batch);
  TensorId codes = unpack_group(writer, parts[0], groups[0], elements, batch);
  for (std::size_t j = 1; j < groups.size(); ++j) {
    const TensorId more = unpack_group(writer, parts[j], groups[j], elements, batch);
    codes = writer.node("Add", {codes, more}, "codes" + std::to_string(j), DType::kFloat32, {batch, elements});
  }
  Shape shape = target.shape;
  if (target.batchable) shape[0] = 0;  // Reshape: 0 keeps the port's batch
  const TensorId to = writer.constant("shape", integers(shape));
  if (target.batchable) shape[0] = -1;
  codes = writer.node("Reshape", {codes, to}, "codes", DType::kFloat32, shape);
  const TensorId zero = writer.constant("zero_point", Tensor::scalar(static_cast<float>(quantizer.zero_point)));
  const TensorId scale = writer.constant("scale", Tensor::scalar(quantizer.scale));
  codes = writer.node("Sub", {codes, zero}, "centred", DType::kFloat32, shape);
  writer.named_node("Mul", {codes, scale}, target.name, DType::kFloat32, shape);
}

}  // namespace cleave::bundle
