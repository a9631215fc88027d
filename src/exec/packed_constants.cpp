#include "exec/packed_constants.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "core/check.h"
#include "graph/builder.h"
#include "quant/packing.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;

constexpr std::int64_t kFewestElements = 64;
constexpr std::size_t kStretch = 4096;  ///< codes looked at before the next decision

bool has_codes(const Tensor& tensor) {
  return tensor.dtype() == DType::kInt8 || tensor.dtype() == DType::kUint8;
}

/// Calls body with the tensor's codes in their own type.
template <typename Body>
auto with_codes(const Tensor& tensor, Body&& body) {
  return tensor.dtype() == DType::kInt8 ? body(tensor.data<std::int8_t>()) : body(tensor.data<std::uint8_t>());
}

struct Extent {
  std::int32_t lowest;
  quant::Bits bits;
};

/// Nothing when the codes need 8 bits, which weights of 8 bits mostly show soon.
std::optional<Extent> extent_of(const Tensor& tensor) {
  return with_codes(tensor, [](const auto codes) -> std::optional<Extent> {
    auto low = codes[0];
    auto high = codes[0];
    for (std::size_t first = 0; first < codes.size(); first += kStretch) {
      for (const auto code : codes.subspan(first, std::min(kStretch, codes.size() - first))) {
        low = code < low ? code : low;
        high = code > high ? code : high;
      }
      if (high - low > 127) return std::nullopt;
    }
    return Extent{low, quant::Bits{std::max(1, static_cast<int>(std::bit_width(static_cast<unsigned>(high - low))))}};
  });
}

Tensor packed(const Tensor& tensor, const Extent& extent) {
  std::vector<std::uint8_t> numbers(static_cast<std::size_t>(tensor.elements()));
  with_codes(tensor, [&](const auto codes) {
    std::transform(codes.begin(), codes.end(), numbers.begin(),
                   [&](auto code) { return static_cast<std::uint8_t>(code - extent.lowest); });
  });
  const std::vector<std::uint8_t> bytes = quant::pack(numbers, extent.bits);
  return Tensor::from<std::uint8_t>({static_cast<std::int64_t>(bytes.size())}, bytes);
}

}  // namespace

Graph PackedConstants::take_from(Graph graph) {
  graph::GraphBuilder builder(graph);
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    const Tensor* value = graph.constant(id);
    if (value == nullptr || !has_codes(*value) || value->elements() < kFewestElements) continue;
    const auto extent = extent_of(*value);
    if (!extent) continue;
    formats_[id] = {extent->bits, extent->lowest};
    builder.set_constant(id, packed(*value, *extent));
    builder.set_shape(id, value->dtype(), value->shape());
  }
  if (formats_.empty()) return graph;
  const std::size_t count = graph.tensor_count();
  graph = builder.build();
  CLEAVE_CHECK(graph.tensor_count() == count, "a graph has no tensors that nothing mentions");
  return graph;
}

Tensor PackedConstants::codes(const Graph& graph, TensorId id) const {
  const graph::TensorInfo& info = graph.tensor(id);
  const Format& format = formats_.at(id);
  Tensor result(info.dtype, info.shape);
  const auto numbers = quant::unpack(graph.constant(id)->data<std::uint8_t>(), result.elements(), format.bits);
  const auto bytes = result.mutable_raw();
  std::transform(numbers.begin(), numbers.end(), bytes.begin(),
                 [&](std::uint8_t number) { return static_cast<std::byte>(number + format.lowest); });
  return result;
}

}  // namespace cleave::exec
