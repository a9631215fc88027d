#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "exec/kernels/layout.h"
#include "graph/graph.h"

namespace cleave::exec {

/// Position of a slot in its program: a tensor in one layout.
enum class SlotId : std::int32_t { kNone = -1 };
constexpr std::size_t index(SlotId id) {
  return static_cast<std::size_t>(id);
}

/// Where everything lies during one run.
struct RunContext {
  std::byte* const* slots;
  std::byte* scratch;  ///< 64-byte aligned, as large as the hungriest step asked for

  std::byte* at(SlotId id) const { return slots[index(id)]; }
};

/// One piece of work of a compiled program.
class Step {
 public:
  virtual ~Step() = default;
  virtual void run(const RunContext& context) = 0;
  /// Which implementation this is, for profiles and traces: "brgconv:avx512_core", "reference".
  virtual std::string describe() const { return "own"; }
};

/// A step, with what the memory plan must know about it.
struct ScheduledStep {
  std::unique_ptr<Step> step;
  std::vector<SlotId> reads;
  std::vector<SlotId> writes;
  SlotId may_overwrite = SlotId::kNone;  ///< a read slot whose place writes[0] may take
  std::int64_t scratch_bytes = 0;
  graph::UnitId unit{};  ///< whose time this is
  std::string op{};      ///< of the node it runs, "Reorder" for a copy into another layout
};

/// Where a buffer's bytes come from. kOutput: allocated for each run and handed to the caller.
enum class Storage { kArena, kConstant, kInput, kOutput };

struct Buffer {
  Storage storage = Storage::kArena;
  std::int64_t bytes = 0;
  const std::byte* constant = nullptr;  ///< kConstant
  std::size_t position = 0;             ///< kInput, kOutput: which
  std::int64_t offset = 0;              ///< kArena
};

struct Slot {
  graph::TensorId tensor = graph::TensorId::kNone;
  Layout layout = Layout::kPlain;
  DType dtype = DType::kUndefined;
  Shape shape;
  std::size_t buffer = 0;
  std::int32_t ready = -1;  ///< the step after which it holds its value; -1: before the first
};

/// A tensor that is shown to the observer after step `ready` of its slot.
struct Tap {
  graph::TensorId tensor;
  SlotId slot;
};

/// A graph compiled for one set of taps.
struct Program {
  std::vector<Slot> slots;
  std::vector<Buffer> buffers;
  std::vector<ScheduledStep> steps;
  std::vector<SlotId> inputs;
  std::vector<SlotId> outputs;
  std::vector<Tap> taps;          ///< by time of readiness
  std::vector<Tensor> constants;  ///< kept alive for kConstant buffers
  std::int64_t arena_bytes = 0;
  std::int64_t scratch_bytes = 0;
};

}  // namespace cleave::exec
