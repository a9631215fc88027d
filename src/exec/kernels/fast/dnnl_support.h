#pragma once

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "exec/fuse.h"
#include "exec/step.h"

namespace cleave::exec {

struct DnnlState {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
};

}  // namespace cleave::exec

namespace cleave::exec::fast {

/// A tensor (float32, int32, int8 or uint8) in a layout, as oneDNN describes it.
dnnl::memory::desc describe(const Shape& shape, Layout layout, DType dtype = DType::kFloat32);
dnnl::memory::data_type data_type_of(DType dtype);

/// The weight in the layout `wanted`, shared with every program of the process that reads the same values in the same
/// layout (WeightStore). `given` describes how `value` lies.
std::shared_ptr<const dnnl::memory> reordered_weight(DnnlState& state, const Tensor& value,
                                                     const dnnl::memory::desc& given, const dnnl::memory::desc& wanted);

/// A copy of a plain tensor in oneDNN's memory.
dnnl::memory constant_memory(DnnlState& state, const Tensor& value);

/// factor * f(x).
void append_activation(dnnl::post_ops& ops, const Activation& activation, float factor = 1);

/// Attributes with scratch memory from outside and the given post-ops.
dnnl::primitive_attr attributes(const dnnl::post_ops& ops = {});

/// Post-ops of a group's followers; empty when one of them cannot be one (`bias` followers are left out).
std::optional<dnnl::post_ops> post_ops_of(const std::vector<Follower>& followers);

/// The primitive descriptor, or nothing when oneDNN has only a naive implementation or none.
template <typename Descriptor, typename Operation>
std::optional<Descriptor> fast_descriptor(const Operation& operation, const dnnl::primitive_attr& attr,
                                          const dnnl::engine& engine) {
  const Descriptor descriptor(operation, attr, engine, /*allow_empty=*/true);
  if (!descriptor) return std::nullopt;
  const std::string name = descriptor.impl_info_str();
  if (name.rfind("ref", 0) == 0) return std::nullopt;
  return descriptor;
}

/// A oneDNN primitive with its arguments: fixed memories (weights) and slots.
class DnnlStep : public Step {
 public:
  DnnlStep(const DnnlState& state, dnnl::primitive primitive)
      : primitive_(std::move(primitive)), stream_(state.engine) {}

  void bind(int argument, dnnl::memory memory);
  void bind(int argument, std::shared_ptr<const dnnl::memory> weight);
  void bind(int argument, const DnnlState& state, const dnnl::memory::desc& desc, SlotId slot);
  void bind_scratch(const DnnlState& state, const dnnl::memory::desc& desc);
  /// Before the primitive runs, `bytes` are copied from one slot to the other (unless they share their place).
  void copy_first(SlotId from, SlotId to, std::int64_t bytes);
  void run(const RunContext& context) override;
  std::string describe() const override;  ///< oneDNN's name of the implementation

 private:
  struct Moving {
    dnnl::memory memory;
    SlotId slot;  ///< kNone: scratch
  };
  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<dnnl::memory> fixed_;
  std::vector<std::shared_ptr<const dnnl::memory>> weights_;
  std::vector<Moving> moving_;
  std::vector<dnnl_exec_arg_t> arguments_;
  SlotId copy_from_ = SlotId::kNone;
  SlotId copy_to_ = SlotId::kNone;
  std::size_t copy_bytes_ = 0;
};

}  // namespace cleave::exec::fast
