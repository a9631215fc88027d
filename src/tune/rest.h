#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/rounding.h"
#include "graph/graph.h"
#include "tune/part.h"

namespace cleave::tune {

/// Units [first, end) of a network, with the outputs of the whole of it; runs nothing when no unit is left.
class Rest {
 public:
  /// `network` and `grids` as of Part.
  Rest(const graph::Graph& network, std::size_t first, const exec::ActivationQuantizers& grids, int workers);

  /// As Part::set_grids.
  void set_grids(const exec::ActivationQuantizers& grids);
  /// The network's outputs, in the order of graph::live_before at its end, from what is alive before unit `first`.
  std::vector<Tensor> run(int worker, const Values& live) const;

 private:
  Tensor from(const std::vector<Tensor>& made, const std::string& name, const Values& live) const;

  std::vector<std::string> outputs_;
  std::unique_ptr<Part> part_;
};

}  // namespace cleave::tune
