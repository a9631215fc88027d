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
bool lower_division(Compiler& compiler, const Group& group);  ///< and what rounds to a grid
bool lower_half_rounding(Compiler& compiler, const Group& group);
bool lower_batch_normalization(Compiler& compiler, const Group& group);
bool lower_prelu(Compiler& compiler, const Group& group);
bool lower_softmax(Compiler& compiler, const Group& group);
bool lower_resize(Compiler& compiler, const Group& group);
bool lower_reshape(Compiler& compiler, const Group& group);    ///< only renames; channel shuffle
bool lower_transpose(Compiler& compiler, const Group& group);  ///< where the bytes already lie right

// The same on given tensors, for integer lowerings that run them on codes.

bool max_pool_codes(Compiler& compiler, const graph::Node& node, graph::TensorId from, graph::TensorId to);
bool shuffle_channels(Compiler& compiler, const Group& group, graph::TensorId from, graph::TensorId to);
/// For Reshape and its kin: the new shape is not an input that only a run brings, which the kernel would have to check.
bool is_settled_renaming(const Compiler& compiler, const graph::Node& node);
void alias_reshaped(Compiler& compiler, graph::TensorId from, graph::TensorId to);
bool alias_transposed(Compiler& compiler, const graph::Node& node, graph::TensorId from, graph::TensorId to);

}  // namespace cleave::exec::fast
