#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "exec/session.h"

namespace cleave::bundle {

/// Runs edge, bytes, cloud, as a deployment would.
class BundleRunner {
 public:
  explicit BundleRunner(const LoadedBundle& bundle, const exec::SessionOptions& options = {});

  /// What edge.onnx returns for these network inputs: wire tensors and, where made on the edge, network outputs.
  std::map<std::string, Tensor> run_edge(std::span<const Tensor> inputs);
  /// Network outputs (by name, the model's order in `output_names`) from what the edge returned.
  std::vector<Tensor> run_cloud(const std::map<std::string, Tensor>& from_edge);
  std::vector<Tensor> run(std::span<const Tensor> inputs) { return run_cloud(run_edge(inputs)); }
  /// The same, with the time of each unit: the edge's, then the cloud's.
  std::vector<Tensor> run_timed(std::span<const Tensor> inputs, std::vector<exec::UnitTime>& times);
  const std::vector<std::string>& output_names() const { return output_names_; }

  exec::Session& edge() { return *edge_; }
  exec::Session* cloud() { return cloud_.get(); }

 private:
  std::vector<Tensor> cloud_inputs(const std::map<std::string, Tensor>& from_edge) const;
  std::vector<Tensor> results(std::map<std::string, Tensor> from_edge, std::vector<Tensor> from_cloud) const;

  std::unique_ptr<exec::Session> edge_;
  std::unique_ptr<exec::Session> cloud_;
  std::vector<std::string> output_names_;
};

}  // namespace cleave::bundle
