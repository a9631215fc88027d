#include "search/edge_sets.h"

#include <algorithm>

namespace cleave::search {

namespace {

class Walker {
 public:
  Walker(const Problem& problem, const std::function<bool(const std::vector<bool>&)>& visit)
      : problem_(problem), visit_(visit), on_edge_(problem.units.size(), false) {}

  EdgeSetWalk walk() {
    for (const int t : problem_.inputs) {
      const bool sent = tensor(t).is_output && problem_.result_at == ResultAt::kCloud;
      if (sent && tensor(t).wire.empty()) return result_;
    }
    place(0);
    return result_;
  }

 private:
  const ProblemTensor& tensor(int t) const { return problem_.tensors[static_cast<std::size_t>(t)]; }
  bool tensor_on_edge(int t) const {
    const int producer = tensor(t).producer;
    return producer < 0 || on_edge_[static_cast<std::size_t>(producer)];
  }

  bool fits_cloud(const ProblemUnit& unit) const {
    const auto arrives = [this](int t) { return !tensor_on_edge(t) || !tensor(t).wire.empty(); };
    return unit.cloud_s && std::all_of(unit.inputs.begin(), unit.inputs.end(), arrives);
  }
  bool fits_edge(const ProblemUnit& unit) const {
    const auto ready = [this](int t) { return tensor_on_edge(t) && !tensor(t).activation.empty(); };
    const auto leaves = [this](int t) {
      if (!tensor(t).is_output) return true;
      return !tensor(t).activation.empty() && (problem_.result_at != ResultAt::kCloud || !tensor(t).wire.empty());
    };
    return !unit.edge_s.empty() && std::all_of(unit.inputs.begin(), unit.inputs.end(), ready) &&
           std::all_of(unit.outputs.begin(), unit.outputs.end(), leaves);
  }

  void place(std::size_t u) {
    result_.placeable = std::max(result_.placeable, u);
    if (u == problem_.units.size()) {
      result_.stopped = !visit_(on_edge_);
      return;
    }
    if (fits_cloud(problem_.units[u])) place(u + 1);
    if (result_.stopped || !fits_edge(problem_.units[u])) return;
    on_edge_[u] = true;
    place(u + 1);
    on_edge_[u] = false;
  }

  const Problem& problem_;
  const std::function<bool(const std::vector<bool>&)>& visit_;
  std::vector<bool> on_edge_;
  EdgeSetWalk result_;
};

}  // namespace

EdgeSetWalk for_each_edge_set(const Problem& problem, const std::function<bool(const std::vector<bool>&)>& visit) {
  return Walker(problem, visit).walk();
}

ForcedSides forced_sides(const Problem& problem) {
  const std::size_t count = problem.units.size();
  ForcedSides sides{std::vector<bool>(count, false), std::vector<bool>(count, false)};
  const auto producer = [&problem](int t) { return problem.tensors[static_cast<std::size_t>(t)].producer; };
  for (std::size_t u = 0; u < count; ++u) {
    const ProblemUnit& unit = problem.units[u];
    sides.cloud[u] = unit.edge_s.empty() || std::any_of(unit.inputs.begin(), unit.inputs.end(), [&](int t) {
                       const bool on_cloud = producer(t) >= 0 && sides.cloud[static_cast<std::size_t>(producer(t))];
                       return on_cloud || problem.tensors[static_cast<std::size_t>(t)].activation.empty();
                     });
  }
  for (std::size_t u = count; u-- > 0;) {
    if (!problem.units[u].cloud_s) sides.edge[u] = true;
    if (!sides.edge[u]) continue;
    for (const int t : problem.units[u].inputs) {
      if (producer(t) >= 0) sides.edge[static_cast<std::size_t>(producer(t))] = true;
    }
  }
  return sides;
}

}  // namespace cleave::search
