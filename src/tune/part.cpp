#include "tune/part.h"

#include "core/check.h"
#include "graph/part.h"

namespace cleave::tune {

using graph::Graph;
using graph::TensorId;

namespace {

std::vector<std::string> names(const Graph& graph, std::span<const TensorId> ids) {
  std::vector<std::string> all;
  for (const TensorId id : ids) all.push_back(graph.tensor(id).name);
  return all;
}

}  // namespace

Part::Part(const Graph& network, Units units, const exec::ActivationQuantizers& grids, int workers)
    : units_(units),
      graph_(graph::part_between(network, units.first, units.last)),
      inputs_(names(graph_, graph_.inputs())),
      outputs_(names(graph_, graph_.outputs())),
      rounder_(graph_, grids),
      sessions_(static_cast<std::size_t>(workers)) {}

void Part::set_grids(const exec::ActivationQuantizers& grids) {
  rounder_.set(grids);
}

void Part::run(int worker, const Values& live, std::vector<Tensor>& made) {
  auto& session = sessions_[static_cast<std::size_t>(worker)];
  if (session == nullptr) session = std::make_unique<exec::Session>(graph_, exec::SessionOptions{});
  std::vector<Tensor> inputs;
  for (const std::string& name : inputs_) inputs.push_back(live.at(name));
  session->run_edited(inputs, rounder_.edited(), rounder_, made);
}

}  // namespace cleave::tune
