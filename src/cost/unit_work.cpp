#include "cost/unit_work.h"

#include <algorithm>

#include "core/check.h"
#include "cost/counts.h"
#include "cost/vector_ops.h"

namespace cleave::cost {

namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using graph::Unit;

const Shape& shape_of(const Graph& graph, TensorId id) {
  return graph.tensor(id).shape;
}

std::int64_t total_elements(const Graph& graph, const std::vector<TensorId>& tensors) {
  std::int64_t total = 0;
  for (const TensorId id : tensors) total = checked_sum(total, element_count(shape_of(graph, id)));
  return total;
}

/// Product of shape[from, to).
std::int64_t extent(const Shape& shape, std::size_t from, std::size_t to) {
  std::int64_t product = 1;
  for (std::size_t i = from; i < to && i < shape.size(); ++i) product = checked_product({product, shape[i]});
  return product;
}

/// N x C x spatial... with weights M x C/groups x kernel... (transposed: C x M/groups x kernel...).
void describe_convolution(const Graph& graph, const Node& node, UnitWork& work) {
  const Shape& in = shape_of(graph, node.input(0));
  const Shape& out = shape_of(graph, node.outputs.front());
  const Shape& weight = shape_of(graph, node.input(1));
  CLEAVE_CHECK(in.size() >= 3 && in.size() == weight.size(), "prepare() gave a convolution without spatial dimensions");
  const std::size_t last = in.size() - 1;
  const auto strides = node.integers("strides", std::vector<std::int64_t>(in.size() - 2, 1));
  work.batch = in[0];
  work.in_channels = in[1];
  work.out_channels = out[1];
  work.groups = std::max<std::int64_t>(node.integer("group", 1), 1);
  work.in_height = extent(in, 2, last);
  work.in_width = in[last];
  work.out_height = extent(out, 2, last);
  work.out_width = out[last];
  work.kernel_height = extent(weight, 2, last);
  work.kernel_width = weight[last];
  work.stride_height = extent(strides, 0, strides.size() - 1);
  work.stride_width = strides.back();
}

/// pixels x window times window x filters, `groups` times.
void describe_product(std::int64_t pixels, std::int64_t window, std::int64_t filters, std::int64_t groups,
                      UnitWork& work) {
  work.groups = groups;
  work.in_channels = checked_product({window, groups});
  work.out_channels = checked_product({filters, groups});
  work.in_height = work.out_height = work.kernel_height = work.kernel_width = 1;
  work.in_width = work.out_width = pixels;
}

void describe_gemm(const Graph& graph, const Node& node, UnitWork& work) {
  const Shape& a = shape_of(graph, node.input(0));
  const Shape& b = shape_of(graph, node.input(1));
  const std::size_t transposed_a = node.integer("transA", 0) != 0 ? 1 : 0;
  const std::size_t transposed_b = node.integer("transB", 0) != 0 ? 1 : 0;
  describe_product(a.at(transposed_a), a.at(1 - transposed_a), b.at(1 - transposed_b), 1, work);
}

void describe_matmul(const Graph& graph, const Node& node, UnitWork& work) {
  const Shape& a = shape_of(graph, node.input(0));
  const Shape& b = shape_of(graph, node.input(1));
  const std::int64_t filters = b.size() == 1 ? 1 : b.back();
  const std::int64_t groups = b.size() <= 2 ? 1 : std::max<std::int64_t>(extent(b, 0, b.size() - 2), 1);
  const std::int64_t per_pixel = checked_product({filters, groups});
  const std::int64_t outputs = element_count(shape_of(graph, node.outputs.front()));
  describe_product(per_pixel == 0 ? 0 : outputs / per_pixel, a.back(), filters, groups, work);
}

std::int64_t macs_of(const UnitWork& work) {
  const bool transposed = work.op == "ConvTranspose";
  const std::int64_t height = transposed ? work.in_height : work.out_height;
  const std::int64_t width = transposed ? work.in_width : work.out_width;
  return checked_product({work.batch, height, width, work.kernel_height, work.kernel_width,
                          work.in_channels / work.groups, work.out_channels});
}

bool describe_multiplication(const Graph& graph, const Node& node, UnitWork& work) {
  if (node.op == "Conv" || node.op == "ConvTranspose") {
    describe_convolution(graph, node, work);
  } else if (node.op == "Gemm") {
    describe_gemm(graph, node, work);
  } else if (node.op == "MatMul") {
    describe_matmul(graph, node, work);
  } else {
    return false;
  }
  return true;
}

}  // namespace

UnitWork describe(const Graph& graph, graph::UnitId id) {
  const Unit& unit = graph.unit(id);
  UnitWork work;
  work.op = unit.op;
  work.weight_elements = unit.weight_elements;
  work.input_elements = total_elements(graph, unit.inputs);
  work.output_elements = total_elements(graph, unit.outputs);
  work.is_convolution = describe_multiplication(graph, graph.node(unit.main), work);
  if (work.is_convolution) {
    work.macs = macs_of(work);
    return work;
  }
  for (const graph::NodeId node : unit.nodes) {
    work.vector_ops = checked_sum(work.vector_ops, vector_ops(graph, node));
  }
  return work;
}

}  // namespace cleave::cost
