#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/reference/recurrent.h"

namespace cleave::exec::reference {
namespace {

constexpr std::int64_t kGates = 4;  // input i, output o, forget f, cell c
constexpr std::int64_t kInput = 0;
constexpr std::int64_t kOutput = 1;
constexpr std::int64_t kForget = 2;
constexpr std::int64_t kCell = 3;

struct State {
  std::vector<float> h;
  std::vector<float> c;
};

/// W x + R h + Wb + Rb of one element of one gate.
float gate_sum(const RecurrentPass& p, std::int64_t gate, std::int64_t i, const float* x, const float* h) {
  return p.dot(p.weights(1, gate, kGates, p.shape.input) + i * p.shape.input, x, p.shape.input) +
         p.dot(p.weights(2, gate, kGates, p.shape.hidden) + i * p.shape.hidden, h, p.shape.hidden) +
         p.bias(gate, kGates, false, i) + p.bias(gate, kGates, true, i);
}

/// Peephole weight of gate i, o or f.
float peephole(const RecurrentPass& p, std::int64_t gate, std::int64_t i) {
  const InputView& weights = p.call.in(7);
  return weights.present() ? weights.as<float>()[(p.direction * 3 + gate) * p.shape.hidden + i] : 0.0f;
}

/// i = f(.. + Pi c),  f = f(.. + Pf c),  c' = f * c + i * g(..),  o = f(.. + Po c'),  h' = o * h(c')
State next_state(const RecurrentPass& p, const float* x, const State& s) {
  const bool coupled = p.call.node.integer("input_forget", 0) != 0;
  State next = s;
  for (std::int64_t i = 0; i < p.shape.hidden; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto gate = [&](std::int64_t g, float c) {
      return p.activations[0](p.limited(gate_sum(p, g, i, x, s.h.data()) + peephole(p, g, i) * c));
    };
    const float input = gate(kInput, s.c[at]);
    const float forget = coupled ? 1 - input : gate(kForget, s.c[at]);
    const float candidate = p.activations[1](p.limited(gate_sum(p, kCell, i, x, s.h.data())));
    next.c[at] = forget * s.c[at] + input * candidate;
    next.h[at] = gate(kOutput, next.c[at]) * p.activations[2](next.c[at]);
  }
  return next;
}

void run(const RecurrentPass& p) {
  const std::vector<float> start_h = p.initial(5);
  const std::vector<float> start_c = p.initial(6);
  for (std::int64_t b = 0; b < p.shape.batch; ++b) {
    const auto from = b * p.shape.hidden;
    const auto to = from + p.shape.hidden;
    State state{{start_h.begin() + from, start_h.begin() + to}, {start_c.begin() + from, start_c.begin() + to}};
    for (std::int64_t i = 0; i < p.length(b); ++i) {
      const std::int64_t step = p.time_at(b, i);
      state = next_state(p, p.input_at(step, b), state);
      p.store_output(step, b, state.h.data());
    }
    p.store_last(1, b, state.h.data());
    p.store_last(2, b, state.c.data());
  }
}

}  // namespace

void lstm(const KernelCall& call) {
  for (const RecurrentPass& pass : recurrent_passes(call, {"Sigmoid", "Tanh", "Tanh"})) run(pass);
}

}  // namespace cleave::exec::reference
