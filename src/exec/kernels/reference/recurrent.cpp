#include "exec/kernels/reference/recurrent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include "core/error.h"

namespace cleave::exec::reference {
namespace {

struct ActivationRow {
  std::string_view name;
  float alpha;
  float beta;
  float (*f)(float x, float alpha, float beta);
};

float sigmoid(float x, float, float) {
  return 1 / (1 + std::exp(-x));
}

constexpr std::array<ActivationRow, 11> kActivations = {{
    {"relu", 0, 0, [](float x, float, float) { return std::max(x, 0.0f); }},
    {"tanh", 0, 0, [](float x, float, float) { return std::tanh(x); }},
    {"sigmoid", 0, 0, sigmoid},
    {"affine", 1, 0, [](float x, float a, float b) { return a * x + b; }},
    {"leakyrelu", 0.01f, 0, [](float x, float a, float) { return x >= 0 ? x : a * x; }},
    {"thresholdedrelu", 1, 0, [](float x, float a, float) { return x > a ? x : 0.0f; }},
    {"scaledtanh", 1, 1, [](float x, float a, float b) { return a * std::tanh(b * x); }},
    {"hardsigmoid", 0.2f, 0.5f, [](float x, float a, float b) { return std::clamp(a * x + b, 0.0f, 1.0f); }},
    {"elu", 1, 0, [](float x, float a, float) { return x >= 0 ? x : a * (std::exp(x) - 1); }},
    {"softsign", 0, 0, [](float x, float, float) { return x / (1 + std::abs(x)); }},
    {"softplus", 0, 0, [](float x, float, float) { return std::log1p(std::exp(x)); }},
}};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return text;
}

const ActivationRow* find_activation(const std::string& name) {
  const std::string wanted = lower_case(name);
  const auto found = std::find_if(kActivations.begin(), kActivations.end(),
                                  [&](const ActivationRow& row) { return row.name == wanted; });
  return found == kActivations.end() ? nullptr : found;
}

template <typename T>
std::vector<T> list_attribute(const graph::Node& node, const std::string& key) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end()) return {};
  const auto* values = std::get_if<std::vector<T>>(&found->second);
  return values == nullptr ? std::vector<T>{} : *values;
}

bool uses_beta(const ActivationRow& row) {
  return row.name == "affine" || row.name == "scaledtanh" || row.name == "hardsigmoid";
}

bool uses_alpha(const ActivationRow& row) {
  return uses_beta(row) || row.name == "leakyrelu" || row.name == "thresholdedrelu" || row.name == "elu";
}

/// All activations of all directions; activation_alpha and _beta list values only for those that use them.
std::vector<GateActivation> activations_of(const graph::Node& node, std::int64_t directions,
                                           const std::vector<std::string>& defaults) {
  auto names = list_attribute<std::string>(node, "activations");
  if (names.empty()) {
    for (std::int64_t d = 0; d < directions; ++d) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  const auto alphas = list_attribute<float>(node, "activation_alpha");
  const auto betas = list_attribute<float>(node, "activation_beta");
  std::size_t alpha = 0;
  std::size_t beta = 0;
  std::vector<GateActivation> result;
  for (const std::string& name : names) {
    const ActivationRow& row = *find_activation(name);
    result.push_back({row.f, row.alpha, row.beta});
    if (uses_alpha(row) && alpha < alphas.size()) result.back().alpha = alphas[alpha++];
    if (uses_beta(row) && beta < betas.size()) result.back().beta = betas[beta++];
  }
  return result;
}

void check_lengths(const KernelCall& call, const RecurrentShape& shape) {
  if (!call.in(4).present()) return;
  for (const std::int64_t length : integers_of(call.in(4))) {
    if (length >= 0 && length <= shape.steps) continue;
    throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': a sequence length of " +
                                              std::to_string(length) + " is outside 0 to " +
                                              std::to_string(shape.steps));
  }
}

}  // namespace

bool is_gate_activation(const std::string& name) {
  return find_activation(name) != nullptr;
}

const float* RecurrentPass::input_at(std::int64_t step, std::int64_t b) const {
  const std::int64_t row = shape.batch_first ? b * shape.steps + step : step * shape.batch + b;
  return call.in(0).as<float>() + row * shape.input;
}

const float* RecurrentPass::weights(std::size_t input, std::int64_t gate, std::int64_t gates,
                                    std::int64_t columns) const {
  return call.in(input).as<float>() + (direction * gates + gate) * shape.hidden * columns;
}

float RecurrentPass::bias(std::int64_t gate, std::int64_t gates, bool recurrence, std::int64_t h) const {
  if (!call.in(3).present()) return 0;
  const std::int64_t part = (direction * 2 + (recurrence ? 1 : 0)) * gates + gate;
  return call.in(3).as<float>()[part * shape.hidden + h];
}

float RecurrentPass::limited(float x) const {
  return clip > 0 ? std::clamp(x, -clip, clip) : x;
}

std::vector<float> RecurrentPass::initial(std::size_t input) const {
  std::vector<float> state(static_cast<std::size_t>(shape.batch * shape.hidden), 0.0f);
  if (!call.in(input).present()) return state;
  for (std::int64_t b = 0; b < shape.batch; ++b) {
    const std::int64_t row = shape.batch_first ? b * shape.directions + direction : direction * shape.batch + b;
    std::copy_n(call.in(input).as<float>() + row * shape.hidden, shape.hidden, state.begin() + b * shape.hidden);
  }
  return state;
}

std::int64_t RecurrentPass::length(std::int64_t b) const {
  return call.in(4).present() ? call.in(4).as<std::int32_t>()[b] : shape.steps;
}

void RecurrentPass::store_output(std::int64_t step, std::int64_t b, const float* h) const {
  if (!call.out(0).present()) return;
  const std::int64_t row = shape.batch_first ? (b * shape.steps + step) * shape.directions + direction
                                             : (step * shape.directions + direction) * shape.batch + b;
  std::copy_n(h, shape.hidden, call.out(0).as<float>() + row * shape.hidden);
}

void RecurrentPass::store_last(std::size_t output, std::int64_t b, const float* values) const {
  if (output >= call.outputs.size() || !call.out(output).present()) return;
  const std::int64_t row = shape.batch_first ? b * shape.directions + direction : direction * shape.batch + b;
  std::copy_n(values, shape.hidden, call.out(output).as<float>() + row * shape.hidden);
}

float RecurrentPass::dot(const float* row, const float* vector, std::int64_t count) {
  float sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += row[k] * vector[k];
  return sum;
}

void run_hidden_cell(const RecurrentPass& pass, NextHidden next) {
  const std::int64_t hidden = pass.shape.hidden;
  const std::vector<float> start = pass.initial(5);
  for (std::int64_t b = 0; b < pass.shape.batch; ++b) {
    std::vector<float> h(start.begin() + b * hidden, start.begin() + (b + 1) * hidden);
    for (std::int64_t i = 0; i < pass.length(b); ++i) {
      const std::int64_t step = pass.time_at(b, i);
      h = next(pass, pass.input_at(step, b), h);
      pass.store_output(step, b, h.data());
    }
    pass.store_last(1, b, h.data());
  }
}

std::vector<RecurrentPass> recurrent_passes(const KernelCall& call,
                                            const std::vector<std::string>& default_activations) {
  const Shape& x = call.in(0).shape;
  const bool batch_first = call.node.integer("layout", 0) != 0;
  const RecurrentShape shape{x[batch_first ? 1 : 0], x[batch_first ? 0 : 1], x[2],
                             call.in(2).shape[2],    call.in(1).shape[0],    batch_first};
  check_lengths(call, shape);
  // Steps behind a sequence's end are zero.
  if (call.out(0).present()) std::fill_n(call.out(0).as<float>(), call.out(0).elements(), 0.0f);
  const auto activations = activations_of(call.node, shape.directions, default_activations);
  const std::size_t each = activations.size() / static_cast<std::size_t>(shape.directions);
  std::vector<RecurrentPass> passes;
  for (std::int64_t d = 0; d < shape.directions; ++d) {
    const bool backward = d == 1 || call.node.text("direction", "forward") == "reverse";
    const auto first = activations.begin() + d * static_cast<std::ptrdiff_t>(each);
    passes.push_back(
        {call, shape, d, backward, call.node.number("clip", 0.0f), {first, first + static_cast<std::ptrdiff_t>(each)}});
  }
  return passes;
}

}  // namespace cleave::exec::reference
