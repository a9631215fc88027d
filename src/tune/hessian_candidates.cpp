#include "tune/hessian_candidates.h"

#include <algorithm>

#include "core/check.h"
#include "quant/hessian_rounding.h"
#include "tune/least_squares.h"

namespace cleave::tune {

namespace {

constexpr double kDamping = 0.01;  // of GPTQ's Hessian

/// The rows of one group with their scales.
struct Group {
  std::int64_t first;
  std::int64_t rows;
  std::span<const float> weights;
  std::span<const float> scales;
};

/// Calls body(group number, group) for each group of a unit.
template <typename Body>
void for_each_group(const WeightRows& rows, const quant::WeightQuantizer& quantizer, const ColumnGeometry& geometry,
                    const Body& body) {
  CLEAVE_CHECK(rows.inputs == geometry.inputs(), "a row of weights meets a column of inputs");
  const std::int64_t some = rows.rows / geometry.groups;
  for (std::int64_t g = 0; g < geometry.groups; ++g) {
    const auto scales =
        std::span(quantizer.scales).subspan(static_cast<std::size_t>(g * some), static_cast<std::size_t>(some));
    body(g, Group{g * some, some, rows.slice(g * some, some), scales});
  }
}

quant::LayerCodes rounded(const Group& group, std::span<const float> weights, std::int64_t inputs,
                          const quant::WeightQuantizer& quantizer, std::span<const double> hessian, int threads) {
  return quant::gptq_codes({weights, inputs, group.scales, quantizer.grid()}, hessian, {kDamping, true, threads});
}

/// E[y] - s q E[x] of each row.
void set_constants(const Group& group, std::span<const std::int8_t> codes, std::span<const double> mean_inputs,
                   std::span<const double> mean_targets, std::span<float> bias) {
  const std::size_t k = mean_inputs.size();
  for (std::size_t r = 0; r < group.scales.size(); ++r) {
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum += codes[r * k + i] * mean_inputs[i];
    bias[r] = static_cast<float>(mean_targets[r] - static_cast<double>(group.scales[r]) * sum);
  }
}

}  // namespace

RoundedWeights gptq_rounding(const Tensor& weights, const quant::WeightQuantizer& quantizer,
                             const ColumnGeometry& geometry, const HessianOfGroup& hessian, int threads) {
  const WeightRows rows = weight_rows(weights, quantizer.axis);
  std::vector<std::int8_t> codes(rows.values.size());
  for_each_group(rows, quantizer, geometry, [&](std::int64_t g, const Group& group) {
    const auto made = rounded(group, group.weights, rows.inputs, quantizer, hessian(g), threads);
    std::copy(made.begin(), made.end(), codes.begin() + group.first * rows.inputs);
  });
  return {"gptq", codes_of_rows(codes, weights.shape(), quantizer.axis), {}};
}

RoundedWeights gptq_rounding(const Tensor& weights, const quant::WeightQuantizer& quantizer, const HessianSum& hessians,
                             int threads) {
  return gptq_rounding(
      weights, quantizer, hessians.geometry(), [&](std::int64_t g) { return hessians.hessian(g); }, threads);
}

RoundedWeights compensated_rounding(const Tensor& weights, const quant::WeightQuantizer& quantizer,
                                    const HessianSum& hessians, const TargetSum& targets, double damping, int threads) {
  const WeightRows rows = weight_rows(weights, quantizer.axis);
  std::vector<std::int8_t> codes(rows.values.size());
  Tensor bias(DType::kFloat32, {rows.rows});
  const std::vector<double> means = targets.mean_targets();
  for_each_group(rows, quantizer, hessians.geometry(), [&](std::int64_t g, const Group& group) {
    const auto first = static_cast<std::size_t>(group.first);
    const auto mean_targets = std::span(means).subspan(first, group.scales.size());
    const auto hessian = hessians.hessian(g);
    const auto products = targets.mean_products(g);
    const auto mean_inputs = targets.mean_inputs(g);
    const LeastSquares near = least_squares(group.weights, {hessian, products, mean_inputs, mean_targets}, damping);
    const auto made = rounded(group, near.weights, rows.inputs, quantizer, near.centred_hessian, threads);
    std::copy(made.begin(), made.end(), codes.begin() + group.first * rows.inputs);
    set_constants(group, made, mean_inputs, mean_targets,
                  bias.mutable_data<float>().subspan(first, group.scales.size()));
  });
  return {"compensated", codes_of_rows(codes, weights.shape(), quantizer.axis), bias};
}

}  // namespace cleave::tune
