#include "cli/target.h"

#include "bundle/run_bundle.h"
#include "cli/inputs.h"
#include "core/error.h"

namespace cleave::cli {

namespace {

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
  std::vector<graph::TensorInfo> inputs() const override { return infos(session_.graph().inputs()); }
  std::vector<std::string> output_names() const override {
    std::vector<std::string> names;
    for (const graph::TensorInfo& info : infos(session_.graph().outputs())) names.push_back(info.name);
    return names;
  }

 private:
  std::vector<graph::TensorInfo> infos(std::span<const graph::TensorId> ids) const {
    std::vector<graph::TensorInfo> list;
    for (const graph::TensorId id : ids) list.push_back(session_.graph().tensor(id));
    return list;
  }
  exec::Session session_;
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
    const graph::Graph& edge = runner_.edge().graph();
    std::vector<graph::TensorInfo> list;
    for (const graph::TensorId id : edge.inputs()) list.push_back(edge.tensor(id));
    return list;
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

exec::Kernels kernels_from_name(const std::string& name) {
  if (name == "fast") return exec::Kernels::kFast;
  if (name == "reference") return exec::Kernels::kReference;
  throw Error(ErrorKind::kUsage, "--kernels '" + name + "' is neither fast nor reference");
}

}  // namespace cleave::cli
