#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "exec/rounding.h"
#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::tune {

/// Tensors by name.
using Values = std::map<std::string, Tensor>;

/// Units [first, last) of a network in floats, with activations rounded to given grids behind the units that make
/// them. One compiled session per worker; workers run at the same time.
class Part {
 public:
  struct Units {
    std::size_t first = 0;
    std::size_t last = 0;
  };

  /// `network` carries the weights as they are to be used (exec::with_rounded_weights); `grids` may name tensors that
  /// other units make, which are passed over.
  Part(const graph::Graph& network, Units units, const exec::ActivationQuantizers& grids, int workers);

  Units units() const { return units_; }
  const std::vector<std::string>& outputs() const { return outputs_; }
  /// Other grids for the tensors that the constructor's named.
  void set_grids(const exec::ActivationQuantizers& grids);
  /// From live tensors (those that it reads must be there) to its outputs, in the order of outputs().
  void run(int worker, const Values& live, std::vector<Tensor>& made);

 private:
  Units units_;
  graph::Graph graph_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  exec::ActivationRounder rounder_;
  std::vector<std::unique_ptr<exec::Session>> sessions_;
};

}  // namespace cleave::tune
