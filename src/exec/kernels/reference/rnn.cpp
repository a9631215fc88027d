#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/reference/recurrent.h"

namespace cleave::exec::reference {
namespace {

/// h' = f(W x + R h + Wb + Rb)
std::vector<float> next_state(const RecurrentPass& p, const float* x, const std::vector<float>& h) {
  std::vector<float> next(static_cast<std::size_t>(p.shape.hidden));
  const float* w = p.weights(1, 0, 1, p.shape.input);
  const float* r = p.weights(2, 0, 1, p.shape.hidden);
  for (std::int64_t i = 0; i < p.shape.hidden; ++i) {
    const float sum = p.dot(w + i * p.shape.input, x, p.shape.input) +
                      p.dot(r + i * p.shape.hidden, h.data(), p.shape.hidden) + p.bias(0, 1, false, i) +
                      p.bias(0, 1, true, i);
    next[static_cast<std::size_t>(i)] = p.activations[0](p.limited(sum));
  }
  return next;
}

}  // namespace

void rnn(const KernelCall& call) {
  for (const RecurrentPass& pass : recurrent_passes(call, {"Tanh"})) run_hidden_cell(pass, next_state);
}

}  // namespace cleave::exec::reference
