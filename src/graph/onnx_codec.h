#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/tensor.h"
#include "graph/external_data.h"
#include "graph/graph.h"

namespace onnx {
class GraphProto;
class ModelProto;
class SparseTensorProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace cleave::graph {

/// The value of a TensorProto. Bytes are borrowed from the message (kept alive by `owner`) or from a mapped external
/// file where alignment allows, else copied. Throws Error naming the tensor.
Tensor read_tensor(const onnx::TensorProto& proto, const std::shared_ptr<const void>& owner, ExternalData& external);

/// The same, and raw bytes are taken out of the message: they go when the tensor goes, not when the message does.
Tensor take_tensor(onnx::TensorProto& proto, const std::shared_ptr<const void>& owner, ExternalData& external);

/// A sparse tensor written out densely. Throws Error naming the tensor.
Tensor read_sparse_tensor(const onnx::SparseTensorProto& proto, const std::shared_ptr<const void>& owner,
                          ExternalData& external);

void write_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

/// Throws Error(kUnsupported) for a type that is no tensor.
TensorInfo read_value_info(const onnx::ValueInfoProto& proto);

void write_value_info(const TensorInfo& info, onnx::ValueInfoProto& proto);

/// True for a NaN anywhere, or an infinity in a tensor of more than one element (a single one is a bound, as in Clip).
bool has_bad_numbers(const Tensor& tensor);

/// Constants above this many elements are left out of a skeleton.
inline constexpr std::int64_t kSkeletonElements = 1024;

/// What is done with weights when a graph becomes a message.
enum class Weights {
  kWhole,
  kSkeleton,  ///< constants of more than kSkeletonElements become inputs: enough for libonnx's own algorithms
};

void write_model(const Graph& graph, Weights weights, onnx::ModelProto& model);

}  // namespace cleave::graph
