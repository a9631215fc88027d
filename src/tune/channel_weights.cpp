#include "tune/channel_weights.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "exec/bias.h"

namespace cleave::tune {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using graph::Unit;

namespace {

Tensor as_floats(const std::vector<double>& values, Shape shape) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  std::transform(values.begin(), values.end(), tensor.mutable_data<float>().begin(),
                 [](double x) { return static_cast<float>(x); });
  return tensor;
}

std::vector<double> as_doubles(const Tensor& tensor) {
  const auto values = tensor.data<float>();
  return {values.begin(), values.end()};
}

}  // namespace

bool ChannelWeights::has(const Graph& graph, const Unit& unit) {
  const Node& main = graph.node(unit.main);
  if (!exec::takes_bias(graph, unit) || main.op == "ConvTranspose" || main.integer("transA", 0) != 0) return false;
  if (main.input(2) == TensorId::kNone) return true;
  const Tensor* bias = graph.constant(main.input(2));
  const Shape& weights = graph.tensor(unit.weight).shape;
  return bias != nullptr && bias->dtype() == DType::kFloat32 &&
         bias->shape() == Shape{weights[static_cast<std::size_t>(unit.weight_axis)]};
}

ChannelWeights::ChannelWeights(const Graph& graph, const Unit& unit) {
  CLEAVE_CHECK(has(graph, unit), "a Conv or Gemm");
  const Node& main = graph.node(unit.main);
  const Tensor& weights = *graph.constant(unit.weight);
  shape_ = weights.shape();
  inputs_first_ = unit.weight_axis == 1;
  outputs_ = shape_[inputs_first_ ? 1 : 0];
  group_inputs_ = shape_[inputs_first_ ? 0 : 1];
  groups_ = main.op == "Conv" ? main.integer("group", 1) : 1;
  pixels_ = weights.elements() / (outputs_ * group_inputs_);
  values_ = as_doubles(weights);
  if (main.input(2) != TensorId::kNone) bias_ = as_doubles(*graph.constant(main.input(2)));
}

std::int64_t ChannelWeights::output_of(std::size_t element) const {
  const auto i = static_cast<std::int64_t>(element);
  return inputs_first_ ? i % outputs_ : i / (group_inputs_ * pixels_);
}

std::int64_t ChannelWeights::input_of(std::size_t element) const {
  const auto i = static_cast<std::int64_t>(element);
  if (inputs_first_) return i / outputs_;
  const std::int64_t group = output_of(element) / (outputs_ / groups_);
  return group * group_inputs_ + i / pixels_ % group_inputs_;
}

std::vector<double> ChannelWeights::output_ranges() const {
  std::vector<double> ranges(static_cast<std::size_t>(outputs_));
  for (std::size_t i = 0; i < values_.size(); ++i) {
    double& range = ranges[static_cast<std::size_t>(output_of(i))];
    range = std::max(range, std::fabs(values_[i]));
  }
  return ranges;
}

std::vector<double> ChannelWeights::input_ranges() const {
  std::vector<double> ranges(static_cast<std::size_t>(inputs()));
  for (std::size_t i = 0; i < values_.size(); ++i) {
    double& range = ranges[static_cast<std::size_t>(input_of(i))];
    range = std::max(range, std::fabs(values_[i]));
  }
  return ranges;
}

void ChannelWeights::divide_outputs(std::span<const double> factors) {
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] /= factors[static_cast<std::size_t>(output_of(i))];
  for (std::size_t c = 0; c < bias_.size(); ++c) bias_[c] /= factors[c];
}

void ChannelWeights::multiply_inputs(std::span<const double> factors) {
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] *= factors[static_cast<std::size_t>(input_of(i))];
}

Tensor ChannelWeights::weights() const {
  return as_floats(values_, shape_);
}

Tensor ChannelWeights::bias() const {
  return bias_.empty() ? Tensor() : as_floats(bias_, {outputs_});
}

}  // namespace cleave::tune
