#pragma once

#include <string>
#include <vector>

#include "exec/kernels/kernel.h"

namespace cleave::exec::reference {

/// f of a gate, with ONNX's parameters.
struct GateActivation {
  float (*f)(float x, float alpha, float beta) = nullptr;
  float alpha = 0;
  float beta = 0;

  float operator()(float x) const { return f(x, alpha, beta); }
};

/// What RNN, GRU and LSTM share. Layout 0: X [seq, batch, in]; 1: X [batch, seq, in].
struct RecurrentShape {
  std::int64_t steps = 0;
  std::int64_t batch = 0;
  std::int64_t input = 0;
  std::int64_t hidden = 0;
  std::int64_t directions = 1;
  bool batch_first = false;
};

/// One direction of a recurrent node: its weights, activations and limits, and where a step's numbers lie.
struct RecurrentPass {
  const KernelCall& call;
  RecurrentShape shape;
  std::int64_t direction = 0;
  bool backward = false;
  float clip = 0;  ///< 0: no limit
  std::vector<GateActivation> activations;

  /// x at a time step.
  const float* input_at(std::int64_t step, std::int64_t b) const;
  /// Rows of W or R of one gate: [hidden][columns].
  const float* weights(std::size_t input, std::int64_t gate, std::int64_t gates, std::int64_t columns) const;
  /// Bias of a gate, input half or recurrence half; 0 where there is none.
  float bias(std::int64_t gate, std::int64_t gates, bool recurrence, std::int64_t h) const;
  float limited(float x) const;
  /// Initial state of input `input` (initial_h, initial_c), zeros where there is none: [batch][hidden].
  std::vector<float> initial(std::size_t input) const;
  /// Steps of one sequence; time runs from 0, or from its end in a backward pass.
  std::int64_t length(std::int64_t b) const;
  std::int64_t time_at(std::int64_t b, std::int64_t i) const { return backward ? length(b) - 1 - i : i; }
  void store_output(std::int64_t step, std::int64_t b, const float* h) const;  ///< Y, where it is wanted
  void store_last(std::size_t output, std::int64_t b, const float* values) const;

  /// sum_k matrix[h][k] * vector[k]
  static float dot(const float* row, const float* vector, std::int64_t count);
};

/// The passes of a node: forward, reverse, or both.
/// gates   per cell; default_activations for one direction.
/// Throws Error(kInvalidInput) naming the node for sequence lengths outside [0, steps].
std::vector<RecurrentPass> recurrent_passes(const KernelCall& call,
                                            const std::vector<std::string>& default_activations);

/// Runs a cell whose state is h alone over every sequence: `next(pass, x, h)` returns h after the step.
using NextHidden = std::vector<float> (*)(const RecurrentPass& pass, const float* x, const std::vector<float>& h);
void run_hidden_cell(const RecurrentPass& pass, NextHidden next);

/// True for activation names that GateActivation knows.
bool is_gate_activation(const std::string& name);

}  // namespace cleave::exec::reference
