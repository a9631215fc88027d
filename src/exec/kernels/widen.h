#pragma once

#include "exec/kernels/kernel.h"

namespace cleave::exec {

/// Runs a kernel on float16 and bfloat16 as if they were float32: it sees its inputs widened, and what it writes is
/// rounded once, to the nearest. Tensors of other types are passed on as they are.
void run_widened(const KernelCall& call, Kernel kernel);

/// The same as a kernel of its own.
template <Kernel kKernel>
void widened(const KernelCall& call) {
  run_widened(call, kKernel);
}

/// Elements of a float16 or bfloat16 tensor, in the order in which they lie.
void widen(const InputView& from, float* to);
void narrow(const float* from, const OutputView& to);

}  // namespace cleave::exec
