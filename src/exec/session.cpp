#include "exec/session.h"

#include <algorithm>

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "exec/compiler.h"
#include "exec/control/control_flow.h"
#include "exec/executor.h"
#include "exec/kernels/fast/reorder.h"
#include "exec/kernels/operator_table.h"
#include "exec/kernels/support_checks.h"
#include "exec/staged/staged_session.h"
#include "exec/thread_scope.h"
#include "exec/unit_clock.h"
#include "graph/first_output.h"
#include "graph/operator_types.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::TensorId;

/// Calls show(tap, its slot, its place) for tapped tensors as soon as they are made.
template <typename Show>
class TapHook : public RunHook {
 public:
  TapHook(const Program& program, Show show) : program_(program), show_(std::move(show)) {}

  void after(std::int32_t step, std::span<std::byte* const> slots) override {
    for (; next_ < program_.taps.size(); ++next_) {
      const Tap& tap = program_.taps[next_];
      const Slot& slot = program_.slots[index(tap.slot)];
      if (slot.ready > step) return;
      show_(tap, slot, reinterpret_cast<float*>(slots[index(tap.slot)]));
    }
  }

 private:
  const Program& program_;
  Show show_;
  std::size_t next_ = 0;
};

std::string describe_node(const Node& node) {
  return "node '" + node.name + "' (" + node.op + "): ";
}

void check_support(const Graph& graph) {
  for (const TensorId id : graph.inputs()) {
    const graph::TensorInfo& info = graph.tensor(id);
    if (!is_shaped(info)) throw Error(ErrorKind::kUnsupported, "type or shape of input '" + info.name + "' is unknown");
  }
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto reason = unsupported_reason(graph, static_cast<NodeId>(i));
    if (!reason) continue;
    throw Error(ErrorKind::kUnsupported, describe_node(graph.nodes()[i]) + *reason,
                "run `cleave check` on the model for the whole list");
  }
}

/// The type that decides whether a node is supported: of its first input, or of its output when it has none.
TensorId deciding_tensor(const Node& node) {
  for (const TensorId id : node.inputs) {
    if (id != TensorId::kNone) return id;
  }
  return first_output(node);
}

bool has_known_shapes(const Graph& graph, const Node& node) {
  const auto known = [&graph](TensorId id) { return id == TensorId::kNone || is_shaped(graph.tensor(id)); };
  return std::all_of(node.inputs.begin(), node.inputs.end(), known) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), known);
}

}  // namespace

struct Session::Impl {
  PackedConstants packed;  ///< of the graph, unless it runs in stages
  Graph graph;
  Kernels kernels;
  int threads;
  bool pin;
  std::unique_ptr<StagedSession> staged;  ///< where the graph cannot be compiled as a whole; the rest is empty then
  std::unique_ptr<Executor> untapped;
  std::unique_ptr<Executor> tapped;
  std::vector<TensorId> taps;  ///< what `tapped` was compiled for
  std::vector<SavedAffinity> affinities;

  Impl(Graph given, const SessionOptions& options)
      : graph(std::move(given)), kernels(options.kernels), threads(thread_count(options.threads)), pin(options.pin) {
    check_support(graph);
    if (needs_stages(graph)) {
      staged = std::make_unique<StagedSession>(graph, options);
    } else {
      graph = packed.take_from(std::move(graph));
    }
  }

  ThreadScope own_threads() { return ThreadScope(threads, pin ? &affinities : nullptr); }

  std::unique_ptr<Executor> compiled(const std::vector<TensorId>& wanted) {
    const ThreadScope scope = own_threads();
    const FoldedConstants folded(graph, &packed);
    const auto dnnl = kernels == Kernels::kFast ? fast::make_dnnl_state() : nullptr;
    return std::make_unique<Executor>(exec::compile({graph, folded, kernels, wanted, dnnl}));
  }

  Executor& executor() {
    if (untapped == nullptr) untapped = compiled({});
    return *untapped;
  }

  Executor& executor_for(std::span<const TensorId> wanted) {
    if (tapped == nullptr || !std::equal(taps.begin(), taps.end(), wanted.begin(), wanted.end())) {
      taps.assign(wanted.begin(), wanted.end());
      tapped = compiled(taps);
    }
    return *tapped;
  }

  void check_inputs(std::span<const Tensor> inputs) const {
    if (inputs.size() != graph.inputs().size()) {
      throw Error(ErrorKind::kInvalidInput, "the network has " + std::to_string(graph.inputs().size()) + " inputs, " +
                                                std::to_string(inputs.size()) + " given");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const graph::TensorInfo& wanted = graph.tensor(graph.inputs()[i]);
      if (inputs[i].dtype() == wanted.dtype && inputs[i].shape() == wanted.shape) continue;
      throw Error(ErrorKind::kInvalidInput, "input '" + wanted.name + "' is " + std::string(dtype_name(wanted.dtype)) +
                                                " " + shape_text(wanted.shape) + ", given is " +
                                                std::string(dtype_name(inputs[i].dtype())) + " " +
                                                shape_text(inputs[i].shape()));
    }
  }

  std::vector<Tensor> run_staged(std::span<const Tensor> inputs, PartRunner& runner) {
    const ThreadScope scope = own_threads();
    return staged->run(inputs, runner);
  }

  std::vector<Tensor> run_tapped(std::span<const Tensor> inputs, TappingRunner& runner) {
    for (std::size_t i = 0; i < inputs.size(); ++i) runner.show(graph.inputs()[i], inputs[i]);
    return run_staged(inputs, runner);
  }

  void run(Executor& executor, std::span<const Tensor> inputs, std::vector<Tensor>& outputs, RunHook* hook) {
    executor.fit_outputs(outputs);
    const ThreadScope scope = own_threads();
    executor.run(inputs, outputs, hook);
  }
};

Session::Session(Graph graph, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(std::move(graph), options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const Graph& Session::graph() const {
  return impl_->graph;
}

void Session::compile() {
  impl_->staged != nullptr ? impl_->staged->compile() : static_cast<void>(impl_->executor());
}

void Session::run_into(std::span<const Tensor> inputs, std::vector<Tensor>& outputs) {
  impl_->check_inputs(inputs);
  if (impl_->staged != nullptr) {
    PartRunner plainly;
    outputs = impl_->run_staged(inputs, plainly);
    return;
  }
  impl_->run(impl_->executor(), inputs, outputs, nullptr);
}

std::vector<Tensor> Session::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> outputs;
  run_into(inputs, outputs);
  return outputs;
}

void Session::run_into(std::span<const Tensor> inputs, std::span<const TensorId> taps, ActivationObserver& observer,
                       std::vector<Tensor>& outputs) {
  impl_->check_inputs(inputs);
  if (impl_->staged != nullptr) {
    TappingRunner tapping(impl_->graph, taps, observer);
    outputs = impl_->run_tapped(inputs, tapping);
    return;
  }
  Executor& executor = impl_->executor_for(taps);
  TapHook hook(executor.program(), [&observer](const Tap& tap, const Slot& slot, const float* values) {
    const std::int64_t block = slot.layout == Layout::kChannelsLast ? slot.shape[1] : 1;
    observer.observe({tap.tensor, values, slot.shape, block});
  });
  impl_->run(executor, inputs, outputs, &hook);
}

void Session::run_edited(std::span<const Tensor> inputs, std::span<const TensorId> edited, ActivationEditor& editor,
                         std::vector<Tensor>& outputs) {
  impl_->check_inputs(inputs);
  if (impl_->staged != nullptr) {
    throw Error(ErrorKind::kUnsupported, "activations of a network with control flow or data-dependent shapes",
                "Give the network fixed shapes.");
  }
  for (const TensorId id : edited) CLEAVE_CHECK(!impl_->graph.is_input(id), "network inputs are the caller's");
  Executor& executor = impl_->executor_for(edited);
  TapHook hook(executor.program(), [&editor](const Tap& tap, const Slot& slot, float* values) {
    editor.edit(tap.tensor, {values, static_cast<std::size_t>(element_count(slot.shape))});
  });
  impl_->run(executor, inputs, outputs, &hook);
}

std::vector<Tensor> Session::run(std::span<const Tensor> inputs, std::span<const TensorId> taps,
                                 ActivationObserver& observer) {
  std::vector<Tensor> outputs;
  run_into(inputs, taps, observer, outputs);
  return outputs;
}

std::vector<Tensor> Session::run_timed(std::span<const Tensor> inputs, std::vector<UnitTime>& times) {
  impl_->check_inputs(inputs);
  if (impl_->staged != nullptr) {
    times.clear();
    TimingRunner timing(times);
    return impl_->run_staged(inputs, timing);
  }
  UnitClock clock(impl_->graph, impl_->executor().program());
  std::vector<Tensor> outputs;
  impl_->run(impl_->executor(), inputs, outputs, &clock);
  times = clock.times();
  return outputs;
}

std::int64_t Session::arena_bytes() {
  return impl_->staged != nullptr ? impl_->staged->arena_bytes() : impl_->executor().program().arena_bytes;
}

std::optional<std::string> unsupported_reason(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.domain.empty() && node.domain != "ai.onnx") return "operators of domain '" + node.domain + "' are unknown";
  if (is_control_flow(node)) return unsupported_inside(node);
  const Operator* row = find_operator(node.op);
  if (row == nullptr) {
    const auto foreign = foreign_values(node.op);
    return foreign ? *foreign + " are not supported" : "this operator is not supported";
  }
  const DType dtype = graph.tensor(deciding_tensor(node)).dtype;
  constexpr auto kTypeNumbers = 32;  // a file may name any number
  const auto number = static_cast<int>(dtype);
  // What is not known yet is asked again when a run has made it known.
  const bool typed = dtype != DType::kUndefined;
  if (typed && (number < 0 || number >= kTypeNumbers || (row->types >> number & 1U) == 0)) {
    return "element type " + std::string(dtype_name(dtype)) + " is not supported";
  }
  if (!has_known_shapes(graph, node)) return std::nullopt;
  if (const auto contradiction = graph::contradicting_types(graph, node)) return contradiction;
  return row->unsupported == nullptr ? std::nullopt : row->unsupported(graph, node);
}

std::vector<std::string> supported_operators() {
  std::vector<std::string> names;
  for (const Operator& row : operator_table()) names.emplace_back(row.name);
  names.insert(names.end(), control_flow_operators().begin(), control_flow_operators().end());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace cleave::exec
