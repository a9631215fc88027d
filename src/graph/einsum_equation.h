#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace cleave::graph {

/// Einsum's equation with one letter per dimension. The dimensions behind "..." get characters of their own: '0' for
/// the last, '1' for the one before it, ...
struct EinsumEquation {
  std::vector<std::string> inputs;
  std::string output;
};

/// The equation "ij,jk->ik" for operands of these ranks. Without "->" the output has, after the dimensions behind
/// "...", every letter that occurs once, in their order. Throws Error(kInvalidInput) when the equation does not fit the
/// operands.
EinsumEquation parse_einsum(const std::string& text, const std::vector<std::size_t>& ranks);

/// The size of each index; operands broadcast where they are 1 wide.
/// Throws Error(kInvalidInput) when sizes contradict each other or the output has an index that no operand has.
std::map<char, std::int64_t> einsum_sizes(const EinsumEquation& equation, const std::vector<Shape>& shapes);

/// The output's shape.
Shape einsum_shape(const EinsumEquation& equation, const std::map<char, std::int64_t>& sizes);

}  // namespace cleave::graph
