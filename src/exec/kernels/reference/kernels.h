#pragma once

#include "exec/kernels/kernel.h"

namespace cleave::exec::reference {

// Naive kernels: ONNX's definition, each element summed up by one thread in one order, so the same bits for any thread
// count. Shapes come from the graph and are trusted.
// "strided" kernels read strides and so take channels-last tensors too; the others want plain tensors.

void unary(const KernelCall& call);              ///< y = f(x); strided alike (same layout on both sides)
void binary(const KernelCall& call);             ///< arithmetic with broadcasting, variadic Min/Max/Sum/Mean; strided
void compare(const KernelCall& call);            ///< Equal, Less, ..., And, Or, Xor; strided
void where(const KernelCall& call);              ///< strided
void clip(const KernelCall& call);               ///< strided alike
void cast(const KernelCall& call);               ///< strided alike
void prelu(const KernelCall& call);              ///< strided
void dropout(const KernelCall& call);            ///< outside training; plain
void copy(const KernelCall& call);               ///< the first input's bytes; plain
void rename(const KernelCall& call);             ///< Identity, Reshape and everything else that only renames; plain
void is_nan(const KernelCall& call);             ///< strided alike
void is_infinite(const KernelCall& call);        ///< strided alike
void quantize_linear(const KernelCall& call);    ///< strided
void dequantize_linear(const KernelCall& call);  ///< strided
void dynamic_quantize_linear(const KernelCall& call);
void qlinear_conv(const KernelCall& call);
void qlinear_matmul(const KernelCall& call);
void conv_integer(const KernelCall& call);
void matmul_integer(const KernelCall& call);

void conv(const KernelCall& call);
void conv_transpose(const KernelCall& call);
void gemm(const KernelCall& call);
void matmul(const KernelCall& call);
void batch_normalization(const KernelCall& call);  ///< strided
void instance_normalization(const KernelCall& call);
void layer_normalization(const KernelCall& call);
void group_normalization(const KernelCall& call);
void lrn(const KernelCall& call);
void mean_variance_normalization(const KernelCall& call);  ///< strided alike
void lp_normalization(const KernelCall& call);
void negative_log_likelihood_loss(const KernelCall& call);
void softmax_cross_entropy_loss(const KernelCall& call);
void einsum(const KernelCall& call);
void determinant(const KernelCall& call);
void cumulative_sum(const KernelCall& call);
void hardmax(const KernelCall& call);
void pool(const KernelCall& call);         ///< MaxPool, AveragePool, LpPool
void global_pool(const KernelCall& call);  ///< GlobalAveragePool, GlobalMaxPool, GlobalLpPool; strided
void reduce(const KernelCall& call);       ///< Reduce*; strided
void arg_reduce(const KernelCall& call);   ///< ArgMax, ArgMin; strided
void softmax(const KernelCall& call);      ///< Softmax, LogSoftmax; strided
void resize(const KernelCall& call);       ///< strided
void max_unpool(const KernelCall& call);
void max_roi_pool(const KernelCall& call);
void roi_align(const KernelCall& call);
void grid_sample(const KernelCall& call);
void top_k(const KernelCall& call);
void dft(const KernelCall& call);
void stft(const KernelCall& call);
void cosine_window(const KernelCall& call);  ///< HannWindow, HammingWindow, BlackmanWindow
void mel_weight_matrix(const KernelCall& call);
void rnn(const KernelCall& call);
void gru(const KernelCall& call);
void lstm(const KernelCall& call);

void transpose(const KernelCall& call);       ///< strided
void slice(const KernelCall& call);           ///< strided
void concat(const KernelCall& call);          ///< strided
void split(const KernelCall& call);           ///< strided
void pad(const KernelCall& call);             ///< strided
void tile(const KernelCall& call);            ///< strided
void expand(const KernelCall& call);          ///< strided
void depth_to_space(const KernelCall& call);  ///< strided
void space_to_depth(const KernelCall& call);  ///< strided
void gather(const KernelCall& call);
void gather_elements(const KernelCall& call);
void gather_nd(const KernelCall& call);
void scatter_elements(const KernelCall& call);
void scatter_nd(const KernelCall& call);
void reverse_sequence(const KernelCall& call);
void trilu(const KernelCall& call);
void eye_like(const KernelCall& call);
void one_hot(const KernelCall& call);
void shape_of(const KernelCall& call);  ///< Shape, Size
void constant(const KernelCall& call);
void constant_of_shape(const KernelCall& call);
void range(const KernelCall& call);

// Kernels whose results' shapes depend on the data (see FreeKernel).

std::vector<Tensor> nonzero(const KernelCall& call);
std::vector<Tensor> compress(const KernelCall& call);
std::vector<Tensor> unique(const KernelCall& call);
std::vector<Tensor> non_max_suppression(const KernelCall& call);

}  // namespace cleave::exec::reference
