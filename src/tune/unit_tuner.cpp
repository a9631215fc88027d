#include "tune/unit_tuner.h"

#include <algorithm>
#include <limits>

#include "core/check.h"
#include "core/fingerprint.h"
#include "exec/bias.h"
#include "exec/rounding.h"
#include "quant/weight_correction.h"
#include "tune/hessian_candidates.h"

namespace cleave::tune {

using graph::Graph;

namespace {

constexpr double kCompensationDampings[] = {0.1, 1.0};
constexpr std::int64_t kMostHessianInputs = 6144;  // 300 MB
constexpr int kOutputRounds = 2;
constexpr std::size_t kCheckEvery = 4;

double total(const PerChannel& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum;
}

PerChannel difference(PerChannel a, const PerChannel& b) {
  for (std::size_t c = 0; c < a.size(); ++c) a[c] -= b[c];
  return a;
}

void add_to(PerChannel& sum, const PerChannel& more) {
  sum.resize(more.size());
  for (std::size_t c = 0; c < more.size(); ++c) sum[c] += more[c];
}

double power(const Tensor& sample) {
  double sum = 0;
  for (const float x : sample.data<float>()) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

}  // namespace

/// Codes and a bias with their error behind the grid, over the samples that compare.
struct UnitTuner::Candidate {
  std::string name;
  Tensor codes;
  Tensor bias = {};                ///< empty: the unit's own
  std::vector<float> scales = {};  ///< empty: those of the spec
  PerChannel errors = {};
};

UnitTuner::UnitTuner(const Graph& graph, std::size_t unit, const SampleStream& floats, const SampleStream& rounded,
                     const exec::QuantizationSpec& spec)
    : graph_(graph),
      unit_(graph.units()[unit]),
      floats_(floats),
      rounded_(rounded),
      quantizer_(spec.weights.at(unit_.name)),
      runs_(graph, unit, spec.activations),
      targets_(floats.size()) {
  plain_.activations = spec.activations;
  plain_.weights[unit_.name] = quantizer_;
  runs_.run(floats, {}, false, [this](std::size_t i, const Tensor& output) {
    if (checks(i)) targets_[i] = output.clone();
  });
  const auto channels = static_cast<std::int64_t>(quantizer_.scales.size());
  axis_ = channel_axis(graph, unit_, graph.tensor(unit_.outputs[0]).shape, channels);
}

/// One out of each kCheckEvery samples in a row, by lot: where classes take turns, no class is left out for good.
bool UnitTuner::drawn(std::size_t sample) {
  return stable_hash(std::to_string(sample / kCheckEvery)) % kCheckEvery == sample % kCheckEvery;
}

bool UnitTuner::fits(std::size_t sample) const {
  return rounded_.size() < 2 * kCheckEvery || !drawn(sample);
}

bool UnitTuner::checks(std::size_t sample) const {
  return rounded_.size() < 2 * kCheckEvery || drawn(sample);
}

UnitRuns::Parameters UnitTuner::parameters(const Candidate& candidate) const {
  UnitRuns::Parameters given = plain_;
  given.weight_codes[unit_.name] = candidate.codes;
  if (!candidate.bias.empty()) given.biases[unit_.name] = candidate.bias;
  if (!candidate.scales.empty()) given.weights[unit_.name].scales = candidate.scales;
  return given;
}

UnitTuner::Candidate UnitTuner::measured(Candidate candidate) const {
  std::vector<PerChannel> errors(rounded_.size());
  runs_.run(rounded_, parameters(candidate), true, [&](std::size_t i, const Tensor& output) {
    if (checks(i)) errors[i] = squared_errors(output, targets_[i], *axis_);
  });
  for (const PerChannel& sample : errors) {
    if (!sample.empty()) add_to(candidate.errors, sample);
  }
  return candidate;
}

/// Per channel of the float network's input; empty where the input has no channel axis of the weights' size.
std::optional<PerChannel> UnitTuner::input_means() const {
  const graph::TensorInfo& input = graph_.tensor(graph_.node(unit_.main).inputs[0]);
  const bool is_product = graph_.node(unit_.main).op == "Gemm" || graph_.node(unit_.main).op == "MatMul";
  const std::size_t axis = is_product ? input.shape.size() - 1 : 1;
  if (axis >= input.shape.size() || quantizer_.axis > 1) return std::nullopt;
  const std::int64_t seen = graph_.constant(unit_.weight)->shape()[static_cast<std::size_t>(1 - quantizer_.axis)];
  if (input.shape[axis] % seen != 0 || (quantizer_.axis == 1 && input.shape[axis] != seen)) return std::nullopt;
  PerChannel sums;
  double count = 0;
  for (std::size_t i = 0; i < floats_.size(); ++i) {
    if (!fits(i)) continue;
    add_to(sums, channel_sums(floats_.live(i).at(input.name), static_cast<int>(axis)));
    count += static_cast<double>(element_count(input.shape) / input.shape[axis]);
  }
  for (double& x : sums) x /= count;
  return sums;
}

void UnitTuner::add_corrected(std::vector<Candidate>& found) const {
  const auto means = input_means();
  if (!means || !exec::takes_bias(graph_, unit_)) return;
  const Tensor& codes = found[0].codes;
  auto made = quant::correct_weights(*graph_.constant(unit_.weight), codes, quantizer_, *means);
  found.push_back(measured({"aciq", codes, shifted_bias(made.bias_shift), std::move(made.scales)}));
}

std::vector<UnitTuner::Candidate> UnitTuner::roundings(const Steps& steps) const {
  const Tensor& weights = *graph_.constant(unit_.weight);
  std::vector<Candidate> found;
  found.push_back(measured({"nearest", quant::weight_codes(weights, quantizer_)}));
  if (steps.contains(Step::kAciq)) add_corrected(found);
  const bool compensates = steps.contains(Step::kCompensate) && exec::takes_bias(graph_, unit_);
  const auto geometry = column_geometry(graph_, unit_);
  if (!geometry || geometry->inputs() > kMostHessianInputs) return found;
  if (!compensates && !steps.contains(Step::kGptq)) return found;
  const std::string& input = graph_.tensor(graph_.node(unit_.main).inputs[0]).name;
  const int threads = geometry->groups > 1 ? 1 : rounded_.workers();
  HessianSum hessians(*geometry, rounded_.workers());
  TargetSum targets(*geometry, static_cast<std::int64_t>(quantizer_.scales.size()), rounded_.workers());
  std::vector<Tensor> sums(rounded_.size());
  if (compensates) {
    runs_.run_sums(floats_, {}, [&](std::size_t i, const Tensor& sum) {
      if (fits(i)) sums[i] = sum.clone();
    });
  }
  for (std::size_t i = 0; i < rounded_.size(); ++i) {
    if (!fits(i)) continue;
    const auto values = rounded_.live(i).at(input).data<float>();
    hessians.add(values);
    if (compensates) targets.add(values, sums[i].data<float>());
    sums[i] = Tensor();
  }
  if (steps.contains(Step::kGptq)) {
    const RoundedWeights made = gptq_rounding(weights, quantizer_, hessians, threads);
    found.push_back(measured({made.name, made.codes}));
  }
  if (!compensates) return found;
  for (const double damping : kCompensationDampings) {
    const RoundedWeights made = compensated_rounding(weights, quantizer_, hessians, targets, damping, threads);
    found.push_back(measured({made.name, made.codes, made.bias}));
  }
  return found;
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

void UnitTuner::add_biases(std::size_t rounding, std::vector<Candidate>& found) const {
  const std::string name = found[rounding].name;
  const Tensor codes = found[rounding].codes;
  const auto counts = [this](std::size_t i) { return fits(i); };
  const auto given = parameters({name, codes});
  const PerChannel wanted = runs_.mean_sums(floats_, {}, *axis_, counts);
  const auto try_shift = [&](const char* what, const PerChannel& shift) {
    found.push_back(measured({name + "+" + what, codes, shifted_bias(shift)}));
  };
  try_shift("local", difference(wanted, runs_.mean_sums(floats_, given, *axis_, counts)));
  try_shift("sums", difference(wanted, runs_.mean_sums(rounded_, given, *axis_, counts)));
  if (const auto means = input_means()) {
    const PerChannel none(quantizer_.scales.size());
    try_shift("expected",
              difference(none, quant::expected_shift(*graph_.constant(unit_.weight), codes, quantizer_, *means)));
  }
  const PerChannel wanted_outputs = runs_.mean_outputs(floats_, {}, *axis_, counts);
  PerChannel shift(quantizer_.scales.size());
  for (int round = 0; round < kOutputRounds; ++round) {
    const PerChannel outputs =
        runs_.mean_outputs(rounded_, parameters({name, codes, shifted_bias(shift)}), *axis_, counts);
    add_to(shift, difference(wanted_outputs, outputs));
  }
  try_shift("outputs", shift);
}

UnitReport UnitTuner::choose(const std::vector<Candidate>& candidates, exec::QuantizationSpec& spec) const {
  UnitReport report;
  Tensor codes = candidates[0].codes.clone();
  Tensor bias = shifted_bias(PerChannel(quantizer_.scales.size()));
  bool biased = false;
  double after = 0;
  for (std::size_t c = 0; c < quantizer_.scales.size(); ++c) {
    const auto best = std::min_element(candidates.begin(), candidates.end(),
                                       [c](const auto& a, const auto& b) { return a.errors[c] < b.errors[c]; });
    copy_channel(best->codes, codes, quantizer_.axis, static_cast<std::int64_t>(c));
    if (!best->bias.empty()) bias.mutable_data<float>()[c] = best->bias.data<float>()[c];
    biased = biased || !best->bias.empty();
    if (!best->scales.empty()) spec.weights[unit_.name].scales[c] = best->scales[c];
    ++report.channels[best->name];
    after += best->errors[c];
  }
  double reference = std::numeric_limits<double>::min();
  for (const Tensor& target : targets_) reference += target.empty() ? 0 : power(target);
  report.error_before = total(candidates[0].errors) / reference;
  report.error_after = after / reference;
  spec.weight_codes[unit_.name] = codes;
  if (biased) spec.biases[unit_.name] = bias;
  return report;
}

UnitReport UnitTuner::tune(const Steps& steps, exec::QuantizationSpec& spec) const {
  UnitReport report;
  if (axis_) {
    std::vector<Candidate> candidates = roundings(steps);
    if (steps.contains(Step::kBias) && exec::takes_bias(graph_, unit_)) {
      const std::size_t plain = candidates.size();
      for (std::size_t i = 0; i < plain; ++i) {
        if (candidates[i].bias.empty()) add_biases(i, candidates);
      }
    }
    report = choose(candidates, spec);
  }
  report.unit = unit_.name;
  return report;
}

}  // namespace cleave::tune
