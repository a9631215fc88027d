#include "tune/rest.h"

#include "graph/part.h"

namespace cleave::tune {

Rest::Rest(const graph::Graph& network, std::size_t first, const exec::ActivationQuantizers& grids, int workers) {
  const std::size_t units = network.units().size();
  for (const graph::TensorId id : graph::live_before(network, units)) outputs_.push_back(network.tensor(id).name);
  if (first < units) part_ = std::make_unique<Part>(network, Part::Units{first, units}, grids, workers);
}

void Rest::set_grids(const exec::ActivationQuantizers& grids) {
  if (part_ != nullptr) part_->set_grids(grids);
}

std::vector<Tensor> Rest::run(int worker, const Values& live) const {
  std::vector<Tensor> made;
  if (part_ != nullptr) part_->run(worker, live, made);
  std::vector<Tensor> all;
  for (const std::string& name : outputs_) all.push_back(from(made, name, live));
  return all;
}

Tensor Rest::from(const std::vector<Tensor>& made, const std::string& name, const Values& live) const {
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (part_->outputs()[i] == name) return made[i];
  }
  return live.at(name);  // made before
}

}  // namespace cleave::tune
