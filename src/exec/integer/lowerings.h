#pragma once

#include <string_view>

#include "exec/kernels/operator_table.h"

namespace cleave::exec {

/// How nodes whose inputs are known by 8-bit codes run on the codes themselves.
struct IntegerRow {
  std::string_view op;
  FastLowering lower;  ///< refuses groups whose inputs are not known by codes
  bool stores_codes;   ///< takes the QuantizeLinear that follows; otherwise the result keeps its input's grid
};

/// The row of an operator, or nullptr.
const IntegerRow* find_integer_row(std::string_view op);

namespace integer {

bool lower_quantize(Compiler& compiler, const Group& group);
bool lower_dequantize(Compiler& compiler, const Group& group);  ///< only notes what the codes stand for
bool lower_convolution(Compiler& compiler, const Group& group);
bool lower_gemm(Compiler& compiler, const Group& group);
bool lower_matmul(Compiler& compiler, const Group& group);
bool lower_linear_matmul(Compiler& compiler, const Group& group);
bool lower_pointwise(Compiler& compiler, const Group& group);  ///< one operand: a table of 256 codes
bool lower_binary(Compiler& compiler, const Group& group);     ///< Add, Sub, Mul
bool lower_concat(Compiler& compiler, const Group& group);
bool lower_averaging(Compiler& compiler, const Group& group);  ///< AveragePool, GlobalAveragePool
bool lower_resize(Compiler& compiler, const Group& group);     ///< nearest and linear, of height and width
bool lower_movement(Compiler& compiler, const Group& group);   ///< values are moved, not changed
bool lower_max_pooling(Compiler& compiler, const Group& group);

}  // namespace integer
}  // namespace cleave::exec
