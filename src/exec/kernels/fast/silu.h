#pragma once

#include "exec/compiler.h"

namespace cleave::exec::fast {

/// A step that replaces a float32 tensor, just written channels-last, by x * Sigmoid(x).
void emit_silu(Compiler& compiler, graph::TensorId id);

}  // namespace cleave::exec::fast
