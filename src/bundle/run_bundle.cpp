#include "bundle/run_bundle.h"

#include "bundle/manifest.h"
#include "core/error.h"
#include "graph/prepare.h"

namespace cleave::bundle {

namespace {

std::map<std::string, Tensor> named_outputs(const graph::Graph& graph, std::vector<Tensor> outputs) {
  std::map<std::string, Tensor> named;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    named[graph.tensor(graph.outputs()[i]).name] = std::move(outputs[i]);
  }
  return named;
}

const Tensor& at(const std::map<std::string, Tensor>& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw Error(ErrorKind::kInvalidInput, "tensor '" + name + "' is missing", "Pass on everything the edge returned.");
  }
  return found->second;
}

}  // namespace

BundleRunner::BundleRunner(const LoadedBundle& bundle, const exec::SessionOptions& options)
    : edge_(std::make_unique<exec::Session>(graph::prepare(bundle.edge), options)),
      output_names_(outputs_from_manifest(*bundle.manifest, "manifest.json")) {
  if (bundle.cloud) cloud_ = std::make_unique<exec::Session>(graph::prepare(*bundle.cloud), options);
}

std::map<std::string, Tensor> BundleRunner::run_edge(std::span<const Tensor> inputs) {
  return named_outputs(edge_->graph(), edge_->run(inputs));
}

std::vector<Tensor> BundleRunner::run_cloud(const std::map<std::string, Tensor>& from_edge) {
  if (cloud_ == nullptr) return results(from_edge, {});
  return results(from_edge, cloud_->run(cloud_inputs(from_edge)));
}

std::vector<Tensor> BundleRunner::run_timed(std::span<const Tensor> inputs, std::vector<exec::UnitTime>& times) {
  const auto from_edge = named_outputs(edge_->graph(), edge_->run_timed(inputs, times));
  if (cloud_ == nullptr) return results(from_edge, {});
  std::vector<exec::UnitTime> cloud_times;
  std::vector<Tensor> made = cloud_->run_timed(cloud_inputs(from_edge), cloud_times);
  times.insert(times.end(), cloud_times.begin(), cloud_times.end());
  return results(from_edge, std::move(made));
}

std::vector<Tensor> BundleRunner::cloud_inputs(const std::map<std::string, Tensor>& from_edge) const {
  std::vector<Tensor> inputs;
  for (const graph::TensorId id : cloud_->graph().inputs()) {
    inputs.push_back(at(from_edge, cloud_->graph().tensor(id).name));
  }
  return inputs;
}

std::vector<Tensor> BundleRunner::results(std::map<std::string, Tensor> from_edge,
                                          std::vector<Tensor> from_cloud) const {
  if (cloud_ != nullptr) {
    for (auto& [name, tensor] : named_outputs(cloud_->graph(), std::move(from_cloud))) from_edge[name] = tensor;
  }
  std::vector<Tensor> outputs;
  for (const std::string& name : output_names_) outputs.push_back(at(from_edge, name));
  return outputs;
}

}  // namespace cleave::bundle
