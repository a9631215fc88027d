#include "exec/integer/lowerings.h"

#include <algorithm>
#include <array>

namespace cleave::exec {
namespace {

constexpr std::array kRows = {
    IntegerRow{"QuantizeLinear", integer::lower_quantize, false},
    IntegerRow{"DequantizeLinear", integer::lower_dequantize, false},

    IntegerRow{"Conv", integer::lower_convolution, true},
    IntegerRow{"Gemm", integer::lower_gemm, true},
    IntegerRow{"MatMul", integer::lower_matmul, true},
    IntegerRow{"QLinearConv", integer::lower_convolution, false},
    IntegerRow{"QLinearMatMul", integer::lower_linear_matmul, false},

    IntegerRow{"Add", integer::lower_binary, true},
    IntegerRow{"Sub", integer::lower_binary, true},
    IntegerRow{"Mul", integer::lower_binary, true},
    IntegerRow{"Concat", integer::lower_concat, true},
    IntegerRow{"Resize", integer::lower_resize, true},
    IntegerRow{"AveragePool", integer::lower_averaging, true},
    IntegerRow{"GlobalAveragePool", integer::lower_averaging, true},

    IntegerRow{"Relu", integer::lower_pointwise, true},
    IntegerRow{"LeakyRelu", integer::lower_pointwise, true},
    IntegerRow{"Clip", integer::lower_pointwise, true},
    IntegerRow{"Sigmoid", integer::lower_pointwise, true},
    IntegerRow{"Tanh", integer::lower_pointwise, true},
    IntegerRow{"Elu", integer::lower_pointwise, true},
    IntegerRow{"Celu", integer::lower_pointwise, true},
    IntegerRow{"Selu", integer::lower_pointwise, true},
    IntegerRow{"HardSwish", integer::lower_pointwise, true},
    IntegerRow{"HardSigmoid", integer::lower_pointwise, true},
    IntegerRow{"Mish", integer::lower_pointwise, true},
    IntegerRow{"Softplus", integer::lower_pointwise, true},
    IntegerRow{"Softsign", integer::lower_pointwise, true},
    IntegerRow{"Abs", integer::lower_pointwise, true},
    IntegerRow{"Neg", integer::lower_pointwise, true},
    IntegerRow{"Exp", integer::lower_pointwise, true},
    IntegerRow{"Sqrt", integer::lower_pointwise, true},
    IntegerRow{"Erf", integer::lower_pointwise, true},

    IntegerRow{"MaxPool", integer::lower_max_pooling, false},
    IntegerRow{"Identity", integer::lower_movement, false},
    IntegerRow{"Reshape", integer::lower_movement, false},
    IntegerRow{"Flatten", integer::lower_movement, false},
    IntegerRow{"Squeeze", integer::lower_movement, false},
    IntegerRow{"Unsqueeze", integer::lower_movement, false},
    IntegerRow{"Transpose", integer::lower_movement, false},
    IntegerRow{"Slice", integer::lower_movement, false},
    IntegerRow{"Split", integer::lower_movement, false},
    IntegerRow{"Tile", integer::lower_movement, false},
    IntegerRow{"Expand", integer::lower_movement, false},
    IntegerRow{"Gather", integer::lower_movement, false},
    IntegerRow{"DepthToSpace", integer::lower_movement, false},
    IntegerRow{"SpaceToDepth", integer::lower_movement, false},
};

}  // namespace

const IntegerRow* find_integer_row(std::string_view op) {
  const auto found = std::find_if(kRows.begin(), kRows.end(), [&](const IntegerRow& row) { return row.op == op; });
  return found == kRows.end() ? nullptr : &*found;
}

}  // namespace cleave::exec
