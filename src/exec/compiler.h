#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exec/fold_constants.h"
#include "exec/fuse.h"
#include "exec/integer/codes.h"
#include "exec/kernels/layout.h"
#include "exec/kernels/operator_table.h"
#include "exec/session.h"
#include "exec/step.h"
#include "graph/graph.h"

namespace cleave::exec {

/// oneDNN's engine; shared by all programs of the process (kernels/fast/dnnl_support.h).
struct DnnlState;

/// What a program is compiled from.
struct CompileRequest {
  const graph::Graph& graph;
  const FoldedConstants& folded;
  Kernels kernels = Kernels::kFast;
  std::vector<graph::TensorId> taps;
  std::shared_ptr<DnnlState> dnnl;  ///< kFast only
};

Program compile(const CompileRequest& request);

/// Builds a Program group by group; what lowerings talk to.
class Compiler {
 public:
  explicit Compiler(const CompileRequest& request);
  Program run();

  const graph::Graph& graph() const { return request_.graph; }
  const graph::Node& node(graph::NodeId id) const { return request_.graph.node(id); }
  const Shape& shape(graph::TensorId id) const { return info(id).shape; }
  DType dtype(graph::TensorId id) const { return info(id).dtype; }
  /// Value of a constant, given or folded; nullptr for activations.
  const Tensor* constant(graph::TensorId id) const;
  const FusionFacts& facts() const { return facts_; }
  const std::shared_ptr<DnnlState>& dnnl() const { return request_.dnnl; }
  const Slot& slot(SlotId id) const { return program_.slots[index(id)]; }

  /// A tensor that the graph does not have; it is read and written like the others.
  graph::TensorId add_tensor(DType dtype, Shape shape);

  /// The codes that stand for a float tensor, if it is known by codes.
  std::optional<CodedTensor> coded(graph::TensorId id) const;
  /// From here on the float tensor is known by these codes; read() makes its values when somebody wants them.
  void set_coded(graph::TensorId id, const CodedTensor& codes);

  /// The layout in which a tensor (or the codes that stand for it) is at hand.
  Layout layout_at_hand(graph::TensorId id) const;
  /// A slot that holds the tensor in this layout; emits a reorder when it is only there in another.
  SlotId read(graph::TensorId id, Layout layout);
  /// A new slot for the tensor, to be written by the next emitted step.
  SlotId write(graph::TensorId id, Layout layout);
  /// The tensor lies where `source` lies, with its own shape.
  void alias(graph::TensorId id, Layout layout, SlotId source);
  void emit(ScheduledStep step);
  /// Emits the reference kernel of a node. Tensors of the map stand in for the node's own.
  void lower_plainly(graph::NodeId id, const std::map<graph::TensorId, graph::TensorId>& stand_ins = {});

 private:
  void add_inputs();
  void lower(const Group& group);
  /// Tries a lowering on the group, then on ever fewer of its followers; says how many it took.
  std::optional<std::size_t> lower_by(FastLowering lowering, Group group);
  std::size_t lower_fast(const Group& group);
  void lower_alone(const Follower& follower);
  const graph::TensorInfo& info(graph::TensorId id) const;
  void finish_outputs();
  void finish_taps();
  SlotId add_slot(graph::TensorId id, Layout layout, std::size_t buffer);
  SlotId add_constant(graph::TensorId id, Layout layout);
  SlotId decode(const CodedTensor& codes, graph::TensorId id, Layout layout);
  SlotId copy_to(SlotId source, graph::TensorId id, Layout layout);
  std::int64_t bytes_of(graph::TensorId id) const;
  SlotId& known(graph::TensorId id, Layout layout);

  const CompileRequest& request_;
  FusionFacts facts_;
  Program program_;
  std::vector<std::array<SlotId, 2>> known_;  ///< by tensor and layout
  std::deque<graph::TensorInfo> added_;       ///< tensors behind the graph's own
  std::map<graph::TensorId, CodedTensor> coded_;
  graph::UnitId unit_{};
  std::string op_;  ///< of the group being lowered
};

}  // namespace cleave::exec
