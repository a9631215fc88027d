#include "cli/target.h"

#include "bundle/run_bundle.h"
#include "cli/inputs.h"
#include "core/error.h"
#include "exec/batched_session.h"

namespace cleave::cli {

namespace {

std::vector<graph::TensorInfo> infos_of(const graph::Graph& graph, std::span<const graph::TensorId> ids) {
  std::vector<graph::TensorInfo> list;
  for (const graph::TensorId id : ids) list.push_back(graph.tensor(id));
  return list;
}

std::vector<std::string> output_names_of(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::TensorId id : graph.outputs()) names.push_back(graph.tensor(id).name);
  return names;
}

class ModelTarget : public Target {
 public:
  ModelTarget(const graph::Graph& graph, const exec::SessionOptions& options) : session_(graph, options) {}

  std::vector<Tensor> run(const std::vector<Tensor>& inputs) override { return session_.run(inputs); }
  void run_into(const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) override {
    session_.run_into(inputs, outputs);
  }
  std::vector<Tensor> run_timed(const std::vector<Tensor>& inputs, std::vector<exec::UnitTime>& times) override {
    return session_.run_timed(inputs, times);
  }
  std::vector<graph::TensorInfo> inputs() const override {
    return infos_of(session_.graph(), session_.graph().inputs());
  }
  std::vector<std::string> output_names() const override { return output_names_of(session_.graph()); }

 private:
  exec::Session session_;
};

class BatchedTarget : public Target {
 public:
  BatchedTarget(const graph::Model& model, std::map<std::string, Shape> shapes, std::int64_t batch,
                const exec::SessionOptions& options)
      : session_(model, options, std::move(shapes)), batch_(batch) {}

  std::vector<Tensor> run(const std::vector<Tensor>& inputs) override {
    std::vector<Tensor> outputs;
    session_.run_into(inputs, outputs);
    return outputs;
  }
  void run_into(const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) override {
    session_.run_into(inputs, outputs);
  }
  std::vector<Tensor> run_timed(const std::vector<Tensor>& inputs, std::vector<exec::UnitTime>& times) override {
    return session_.run_timed(inputs, times);
  }
  std::vector<graph::TensorInfo> inputs() const override {
    const graph::Graph& graph = session_.graph_of(batch_);
    std::vector<graph::TensorInfo> list = infos_of(graph, graph.inputs());
    for (graph::TensorInfo& info : list) info.shape.at(0) = batch_;
    return list;
  }
  std::vector<std::string> output_names() const override { return output_names_of(session_.graph_of(batch_)); }

 private:
  mutable exec::BatchedSession session_;
  std::int64_t batch_;
};

class BundleTarget : public Target {
 public:
  BundleTarget(const bundle::LoadedBundle& loaded, const exec::SessionOptions& options) : runner_(loaded, options) {}

  std::vector<Tensor> run(const std::vector<Tensor>& inputs) override { return runner_.run(inputs); }
  void run_into(const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) override {
    outputs = runner_.run(inputs);
  }
  std::vector<Tensor> run_timed(const std::vector<Tensor>& inputs, std::vector<exec::UnitTime>& times) override {
    return runner_.run_timed(inputs, times);
  }
  std::vector<graph::TensorInfo> inputs() const override {
    return infos_of(runner_.edge().graph(), runner_.edge().graph().inputs());
  }
  std::vector<std::string> output_names() const override { return runner_.output_names(); }

 private:
  mutable bundle::BundleRunner runner_;
};

}  // namespace

std::function<std::unique_ptr<Target>()> open_graph(const graph::Graph& graph, const exec::SessionOptions& options) {
  return [graph, options] { return std::make_unique<ModelTarget>(graph, options); };
}

std::function<std::unique_ptr<Target>()> open_target(const std::string& path, const std::vector<std::string>& shapes,
                                                     const exec::SessionOptions& options) {
  if (!is_bundle(path))
    return open_graph(load_network(path, shapes, graph::DataDependentShapes::kAccept).graph, options);
  auto loaded = std::make_shared<const bundle::LoadedBundle>(bundle::load(path));
  return [loaded, options] { return std::make_unique<BundleTarget>(*loaded, options); };
}

std::unique_ptr<Target> open_batched(const std::string& path, const std::vector<std::string>& shapes,
                                     std::int64_t batch, const exec::SessionOptions& options) {
  if (is_bundle(path)) {
    throw Error(ErrorKind::kUnsupported, "a bundle's edge part takes one image at a time", "Leave --batch at 1.");
  }
  return std::make_unique<BatchedTarget>(graph::Model::load(path), parse_shapes(shapes).input_shapes, batch, options);
}

graph::Graph load_plain_graph(const std::string& target, const std::vector<std::string>& shapes,
                              const std::string& option) {
  if (is_bundle(target)) throw Error(ErrorKind::kUsage, option + " is for a plain model, not for a bundle");
  return load_network(target, shapes, graph::DataDependentShapes::kAccept).graph;
}

exec::Kernels kernels_from_name(const std::string& name) {
  if (name == "fast") return exec::Kernels::kFast;
  if (name == "reference") return exec::Kernels::kReference;
  throw Error(ErrorKind::kUsage, "--kernels '" + name + "' is neither fast nor reference");
}

}  // namespace cleave::cli
