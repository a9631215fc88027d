#pragma once

#include "exec/compiler.h"
#include "exec/kernels/window.h"

namespace cleave::exec::fast {

/// Runs a 3x3 convolution of stride 1 as Winograd's F(4x4, 3x3) where that promises to be faster: 36 products per tile
/// of 16 pixels instead of 144. Emits the step and returns true, or emits nothing and returns false.
/// followers   of the group, as far as this step is to apply them; the result is the group's.
bool lower_winograd(Compiler& compiler, const Group& group, const std::vector<Follower>& followers,
                    const Window& window);

}  // namespace cleave::exec::fast
