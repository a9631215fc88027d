#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::exec::testing {

/// One step of growing a network: which operator, on which tensor made so far, and three numbers to draw its attributes
/// from. Every value is a valid network, so that a failing one can be made smaller gene by gene.
struct Gene {
  std::uint32_t op = 0;
  std::uint32_t source = 0;
  std::uint32_t a = 0, b = 0, c = 0;
};
void showValue(const Gene& gene, std::ostream& out);

/// What a network starts from.
enum class Start {
  kImage,  ///< [2, 6, 9, 7]
  kRows,   ///< [3, 12] and [2, 4, 6]
};

/// A network of float32 tensors of at most kLargestTensor elements. A gene that does not fit its source (a pool on a
/// matrix) is passed over. Outputs: every tensor that nothing reads, and every fourth one that something does.
/// Weights depend on the gene's position; values stay within a few units.
graph::Graph random_network(std::span<const Gene> genes, Start start);
inline constexpr std::int64_t kLargestTensor = 6000;

/// A node per line: output = op(inputs) {attributes}, with shapes.
std::string listing(const graph::Graph& graph);

}  // namespace cleave::exec::testing
