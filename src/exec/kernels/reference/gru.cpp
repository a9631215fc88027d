#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/reference/recurrent.h"

namespace cleave::exec::reference {
namespace {

constexpr std::int64_t kGates = 3;  // update z, reset r, hidden h
constexpr std::int64_t kUpdate = 0;
constexpr std::int64_t kReset = 1;
constexpr std::int64_t kHidden = 2;

std::vector<float> gate_inputs(const RecurrentPass& p, std::int64_t gate, const float* x) {
  std::vector<float> sums(static_cast<std::size_t>(p.shape.hidden));
  const float* w = p.weights(1, gate, kGates, p.shape.input);
  for (std::int64_t i = 0; i < p.shape.hidden; ++i) {
    sums[static_cast<std::size_t>(i)] = p.dot(w + i * p.shape.input, x, p.shape.input) + p.bias(gate, kGates, false, i);
  }
  return sums;
}

/// R h + Rb of one gate.
std::vector<float> recurrence(const RecurrentPass& p, std::int64_t gate, const float* h) {
  std::vector<float> sums(static_cast<std::size_t>(p.shape.hidden));
  const float* r = p.weights(2, gate, kGates, p.shape.hidden);
  for (std::int64_t i = 0; i < p.shape.hidden; ++i) {
    sums[static_cast<std::size_t>(i)] = p.dot(r + i * p.shape.hidden, h, p.shape.hidden);
  }
  return sums;
}

/// f(W x + Wb + R h + Rb)
std::vector<float> gate(const RecurrentPass& p, std::int64_t g, const float* x, const float* h) {
  std::vector<float> values = gate_inputs(p, g, x);
  const std::vector<float> back = recurrence(p, g, h);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float bias = p.bias(g, kGates, true, static_cast<std::int64_t>(i));
    values[i] = p.activations[0](p.limited(values[i] + back[i] + bias));
  }
  return values;
}

/// z = f(Wz x + Rz h + b),  r = f(Wr x + Rr h + b),  h' = (1 - z) * n + z * h
/// n = g(Wh x + Wbh + Rh (r * h) + Rbh), or with linear_before_reset g(Wh x + Wbh + r * (Rh h + Rbh))
std::vector<float> next_state(const RecurrentPass& p, const float* x, const std::vector<float>& h) {
  const bool linear_first = p.call.node.integer("linear_before_reset", 0) != 0;
  const std::vector<float> update = gate(p, kUpdate, x, h.data());
  const std::vector<float> reset = gate(p, kReset, x, h.data());
  std::vector<float> seen = h;
  for (std::size_t i = 0; i < seen.size() && !linear_first; ++i) seen[i] *= reset[i];
  const std::vector<float> back = recurrence(p, kHidden, seen.data());
  std::vector<float> next = gate_inputs(p, kHidden, x);
  for (std::size_t i = 0; i < next.size(); ++i) {
    const float heard = back[i] + p.bias(kHidden, kGates, true, static_cast<std::int64_t>(i));
    const float candidate = p.activations[1](p.limited(next[i] + (linear_first ? reset[i] * heard : heard)));
    next[i] = (1 - update[i]) * candidate + update[i] * h[i];
  }
  return next;
}

}  // namespace

void gru(const KernelCall& call) {
  for (const RecurrentPass& pass : recurrent_passes(call, {"Sigmoid", "Tanh"})) run_hidden_cell(pass, next_state);
}

}  // namespace cleave::exec::reference
