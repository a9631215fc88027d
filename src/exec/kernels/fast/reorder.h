#pragma once

#include <cstdint>
#include <memory>

#include "exec/step.h"

namespace cleave::exec {
struct DnnlState;
}

namespace cleave::exec::fast {

/// oneDNN's engine, the same one for every program of the process.
std::shared_ptr<DnnlState> make_dnnl_state();

/// A step that copies a float32 tensor into another layout; nullptr when oneDNN has no fast way.
std::unique_ptr<Step> make_reorder(DnnlState& state, const Slot& source, const Slot& target, SlotId from, SlotId to,
                                   std::int64_t& scratch_bytes);

}  // namespace cleave::exec::fast
