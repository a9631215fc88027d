#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::exec {

/// How the parts of a staged network are run: plainly, or watched.
class PartRunner {
 public:
  using Work = std::function<std::vector<Tensor>()>;

  virtual ~PartRunner() = default;
  virtual std::vector<Tensor> run(Session& part, std::span<const Tensor> inputs) { return part.run(inputs); }
  /// A node that runs by itself; `work` runs it.
  virtual std::vector<Tensor> run_node(const graph::Node&, const Work& work) { return work(); }
};

/// Shows tapped tensors to an observer, under the ids that they have in the whole graph. A tapped tensor that became a
/// constant once shapes were known is not shown.
class TappingRunner : public PartRunner {
 public:
  TappingRunner(const graph::Graph& whole, std::span<const graph::TensorId> taps, ActivationObserver& observer);
  /// Shows a tensor if it is tapped.
  void show(graph::TensorId id, const Tensor& value);
  std::vector<Tensor> run(Session& part, std::span<const Tensor> inputs) override;
  std::vector<Tensor> run_node(const graph::Node& node, const Work& work) override;

 private:
  const graph::Graph& whole_;
  std::span<const graph::TensorId> taps_;
  ActivationObserver& observer_;
};

/// Collects the times of the parts' units and of the nodes in between.
class TimingRunner : public PartRunner {
 public:
  explicit TimingRunner(std::vector<UnitTime>& times) : times_(times) {}
  std::vector<Tensor> run(Session& part, std::span<const Tensor> inputs) override;
  std::vector<Tensor> run_node(const graph::Node& node, const Work& work) override;

 private:
  std::vector<UnitTime>& times_;
};

}  // namespace cleave::exec
