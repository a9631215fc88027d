#pragma once

#include "exec/compiler.h"

namespace cleave::exec::fast {

// Lowerings for the operator table (see FastLowering).

bool lower_convolution(Compiler& compiler, const Group& group);
bool lower_transposed_convolution(Compiler& compiler, const Group& group);
bool lower_gemm(Compiler& compiler, const Group& group);
bool lower_matmul(Compiler& compiler, const Group& group);
bool lower_pooling(Compiler& compiler, const Group& group);
bool lower_global_pooling(Compiler& compiler, const Group& group);
bool lower_activation(Compiler& compiler, const Group& group);
bool lower_binary(Compiler& compiler, const Group& group);
bool lower_batch_normalization(Compiler& compiler, const Group& group);
bool lower_fake_quantization(Compiler& compiler, const Group& group);  ///< QuantizeLinear
bool lower_reshape(Compiler& compiler, const Group& group);            ///< only renames; channel shuffle
bool lower_transpose(Compiler& compiler, const Group& group);          ///< where the bytes already lie right

}  // namespace cleave::exec::fast
