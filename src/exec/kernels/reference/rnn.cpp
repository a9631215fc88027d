#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/reference/recurrent.h"

namespace cleave::exec::reference {
namespace {

/// h' = f(W x + R h + Wb + Rb)
std::vector<float> next_state(const RecurrentPass& p, const float* x, const float* h) {
  std::vector<float> next(static_cast<std::size_t>(p.shape.hidden));
  const float* w = p.weights(1, 0, 1, p.shape.input);
  const float* r = p.weights(2, 0, 1, p.shape.hidden);
  for (std::int64_t i = 0; i < p.shape.hidden; ++i) {
    const float sum = p.dot(w + i * p.shape.input, x, p.shape.input) +
                      p.dot(r + i * p.shape.hidden, h, p.shape.hidden) + p.bias(0, 1, false, i) + p.bias(0, 1, true, i);
    next[static_cast<std::size_t>(i)] = p.activations[0](p.limited(sum));
  }
  return next;
}

void run(const RecurrentPass& p) {
  const std::vector<float> start = p.initial(5);
  for (std::int64_t b = 0; b < p.shape.batch; ++b) {
    std::vector<float> h(start.begin() + b * p.shape.hidden, start.begin() + (b + 1) * p.shape.hidden);
    for (std::int64_t i = 0; i < p.length(b); ++i) {
      const std::int64_t step = p.time_at(b, i);
      h = next_state(p, p.input_at(step, b), h.data());
      p.store_output(step, b, h.data());
    }
    p.store_last(1, b, h.data());
  }
}

}  // namespace

void rnn(const KernelCall& call) {
  for (const RecurrentPass& pass : recurrent_passes(call, {"Tanh"})) run(pass);
}

}  // namespace cleave::exec::reference
