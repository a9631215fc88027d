#include "tune/unit_tuner.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "exec/bias.h"
#include "exec/rounding.h"
#include "quant/hessian_rounding.h"
#include "tune/hessian_sum.h"
#include "tune/least_squares.h"
#include "tune/target_sum.h"
#include "tune/weight_rows.h"

namespace cleave::tune {

using graph::Graph;

namespace {

constexpr double kDamping = 0.01;
constexpr std::int64_t kMostHessianInputs = 6144;  // 300 MB
constexpr int kOutputRounds = 2;

std::string input_name(const Graph& graph, const graph::Unit& unit) {
  return graph.tensor(graph.node(unit.main).inputs[0]).name;
}

double total(const PerChannel& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum;
}

PerChannel difference(PerChannel a, const PerChannel& b) {
  for (std::size_t c = 0; c < a.size(); ++c) a[c] -= b[c];
  return a;
}

double power(const std::vector<Tensor>& samples) {
  double sum = 0;
  for (const Tensor& sample : samples) {
    for (const float x : sample.data<float>()) sum += static_cast<double>(x) * static_cast<double>(x);
  }
  return sum;
}

}  // namespace

/// Codes and a bias with their error behind the grid.
struct UnitTuner::Candidate {
  std::string name;
  Tensor codes;
  Tensor bias;  ///< empty: the unit's own
  PerChannel errors;

  const Tensor* given_bias() const { return bias.empty() ? nullptr : &bias; }
};

UnitTuner::UnitTuner(const Graph& graph, std::size_t unit, const SampleStream& floats, const SampleStream& rounded,
                     const exec::QuantizationSpec& spec)
    : graph_(graph),
      unit_(graph.units()[unit]),
      floats_(floats),
      rounded_(rounded),
      quantizer_(spec.weights.at(unit_.name)),
      runs_(graph, unit, spec.activations) {
  plain_.activations = spec.activations;
  plain_.weights[unit_.name] = quantizer_;
  targets_ = runs_.outputs(floats, {}, false);
  target_sums_ = runs_.sums(floats, {});
}

UnitRuns::Parameters UnitTuner::parameters(const Tensor& codes, const Tensor* bias) const {
  UnitRuns::Parameters given = plain_;
  given.weight_codes[unit_.name] = codes;
  if (bias != nullptr) given.biases[unit_.name] = *bias;
  return given;
}

UnitTuner::Candidate UnitTuner::measured(std::string name, const Tensor& codes, const Tensor* bias) const {
  const auto channels = static_cast<std::int64_t>(quantizer_.scales.size());
  const auto axis = channel_axis(graph_, unit_, targets_[0].shape(), channels);
  const auto outputs = runs_.outputs(rounded_, parameters(codes, bias), true);
  return {std::move(name), codes, bias == nullptr ? Tensor() : *bias, squared_errors(outputs, targets_, *axis)};
}

std::vector<UnitTuner::Candidate> UnitTuner::roundings(const Steps& steps) const {
  const Tensor& weights = *graph_.constant(unit_.weight);
  std::vector<Candidate> found;
  found.push_back(measured("nearest", quant::weight_codes(weights, quantizer_), nullptr));
  if (steps.contains(Step::kGptq) || steps.contains(Step::kCompensate)) add_hessian_roundings(steps, found);
  return found;
}

void UnitTuner::add_hessian_roundings(const Steps& steps, std::vector<Candidate>& found) const {
  const auto geometry = column_geometry(graph_, unit_);
  if (!geometry || geometry->inputs() > kMostHessianInputs) return;
  const WeightRows rows = weight_rows(*graph_.constant(unit_.weight), quantizer_.axis);
  CLEAVE_CHECK(rows.inputs == geometry->inputs(), "a row of weights meets a column of inputs");
  const std::string input = input_name(graph_, unit_);
  const bool fits = steps.contains(Step::kCompensate) && exec::takes_bias(graph_, unit_);
  HessianSum hessians(*geometry, rounded_.workers());
  TargetSum targets(*geometry, rows.rows, rounded_.workers());
  for (std::size_t i = 0; i < rounded_.size(); ++i) {
    const auto values = rounded_.live(i).at(input).data<float>();
    hessians.add(values);
    if (fits) targets.add(values, target_sums_[i].data<float>());
  }
  const std::int64_t some = rows.rows / geometry->groups;
  std::vector<std::int8_t> plain(rows.values.size());
  std::vector<std::int8_t> fitted(rows.values.size());
  Tensor bias(DType::kFloat32, {rows.rows});
  const std::vector<double> means = targets.mean_targets();
  for (std::int64_t group = 0; group < geometry->groups; ++group) {
    const std::int64_t first = group * some;
    const auto scales =
        std::span(quantizer_.scales).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(some));
    const auto hessian = hessians.hessian(group);
    const quant::GptqOptions options{kDamping, true, geometry->groups > 1 ? 1 : rounded_.workers()};
    const auto own = rows.slice(first, some);
    const auto codes = quant::gptq_codes({own, rows.inputs, scales, quantizer_.grid()}, hessian, options);
    std::copy(codes.begin(), codes.end(), plain.begin() + first * rows.inputs);
    if (!fits) continue;
    const auto products = targets.mean_products(group);
    const auto inputs = targets.mean_inputs(group);
    const auto group_means = std::span(means).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(some));
    const LeastSquares near = least_squares(own, {hessian, products, inputs, group_means}, kDamping);
    const auto near_codes =
        quant::gptq_codes({near.weights, rows.inputs, scales, quantizer_.grid()}, near.centred_hessian, options);
    std::copy(near_codes.begin(), near_codes.end(), fitted.begin() + first * rows.inputs);
    for (std::int64_t r = 0; r < some; ++r) {
      double constant = group_means[static_cast<std::size_t>(r)];
      for (std::int64_t k = 0; k < rows.inputs; ++k) {
        constant -= static_cast<double>(scales[static_cast<std::size_t>(r)]) *
                    near_codes[static_cast<std::size_t>(r * rows.inputs + k)] * inputs[static_cast<std::size_t>(k)];
      }
      bias.mutable_data<float>()[static_cast<std::size_t>(first + r)] = static_cast<float>(constant);
    }
  }
  const Shape& shape = graph_.constant(unit_.weight)->shape();
  if (steps.contains(Step::kGptq)) {
    found.push_back(measured("gptq", codes_of_rows(plain, shape, quantizer_.axis), nullptr));
  }
  if (fits) found.push_back(measured("compensated", codes_of_rows(fitted, shape, quantizer_.axis), &bias));
}

Tensor UnitTuner::shifted_bias(const PerChannel& shift) const {
  const Tensor* own = exec::bias_of(graph_, unit_, {});
  Tensor bias(DType::kFloat32, {static_cast<std::int64_t>(shift.size())});
  const auto values = bias.mutable_data<float>();
  for (std::size_t c = 0; c < shift.size(); ++c) {
    values[c] = static_cast<float>(shift[c] + (own == nullptr ? 0.0 : static_cast<double>(own->data<float>()[c])));
  }
  return bias;
}

std::vector<UnitTuner::Candidate> UnitTuner::with_biases(const Candidate& rounding) const {
  const auto channels = static_cast<std::int64_t>(quantizer_.scales.size());
  const auto axis = *channel_axis(graph_, unit_, targets_[0].shape(), channels);
  const auto given = parameters(rounding.codes, nullptr);
  const PerChannel wanted = channel_means(target_sums_, axis);
  const auto sums_shift = difference(wanted, channel_means(runs_.sums(rounded_, given), axis));
  const auto local_shift = difference(wanted, channel_means(runs_.sums(floats_, given), axis));
  std::vector<Candidate> found;
  for (const auto& [name, shift] : {std::pair{"local", &local_shift}, std::pair{"sums", &sums_shift}}) {
    const Tensor bias = shifted_bias(*shift);
    found.push_back(measured(rounding.name + "+" + name, rounding.codes, &bias));
  }
  const PerChannel wanted_outputs = channel_means(targets_, axis);
  PerChannel shift(static_cast<std::size_t>(channels));
  for (int round = 0; round < kOutputRounds; ++round) {
    const Tensor before = shifted_bias(shift);
    const auto outputs = runs_.outputs(rounded_, parameters(rounding.codes, &before), true);
    const PerChannel missing = difference(wanted_outputs, channel_means(outputs, axis));
    for (std::size_t c = 0; c < shift.size(); ++c) shift[c] += missing[c];
  }
  const Tensor bias = shifted_bias(shift);
  found.push_back(measured(rounding.name + "+outputs", rounding.codes, &bias));
  return found;
}

UnitReport UnitTuner::tune(const Steps& steps, exec::QuantizationSpec& spec) const {
  const auto channels = quantizer_.scales.size();
  UnitReport report;
  report.unit = unit_.name;
  if (!channel_axis(graph_, unit_, targets_[0].shape(), static_cast<std::int64_t>(channels))) return report;
  std::vector<Candidate> candidates = roundings(steps);
  if (steps.contains(Step::kBias) && exec::takes_bias(graph_, unit_)) {
    const std::size_t plain = candidates.size();
    for (std::size_t i = 0; i < plain; ++i) {
      if (candidates[i].given_bias() != nullptr) continue;
      for (Candidate& more : with_biases(candidates[i])) candidates.push_back(std::move(more));
    }
  }
  Tensor codes = candidates[0].codes.clone();
  Tensor bias = shifted_bias(PerChannel(channels));
  bool biased = false;
  double after = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto best = std::min_element(candidates.begin(), candidates.end(),
                                       [c](const auto& a, const auto& b) { return a.errors[c] < b.errors[c]; });
    copy_channel(best->codes, codes, quantizer_.axis, static_cast<std::int64_t>(c));
    if (best->given_bias() != nullptr) {
      bias.mutable_data<float>()[c] = best->bias.data<float>()[c];
      biased = true;
    }
    ++report.channels[best->name];
    after += best->errors[c];
  }
  const double reference = std::max(power(targets_), std::numeric_limits<double>::min());
  report.error_before = total(candidates[0].errors) / reference;
  report.error_after = after / reference;
  spec.weight_codes[unit_.name] = codes;
  if (biased) spec.biases[unit_.name] = bias;
  return report;
}

}  // namespace cleave::tune
