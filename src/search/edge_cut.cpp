#include "search/edge_cut.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search {

namespace {

constexpr double kForbidden = CutCosts::kForbidden;

// Nodes: the source (edge side), the sink (cloud side), one for the round trip and one for the download, one per open
// unit, one per tensor (cloud side: it crosses or is made there). A unit on the edge cuts the arc to the sink, on the
// cloud the one from the source; a tensor that crosses cuts the arc from its producer. Unlimited arcs forbid: an edge
// unit fed from the cloud, a cloud unit whose tensor did not cross, one behind the network inputs without a round trip.
class CutNetwork {
 public:
  CutNetwork(const Problem& problem, const CutCosts& costs, const UnitRange& open)
      : problem_(problem), costs_(costs), open_(open), nodes_(kFirstUnit + open.last - open.first) {}

  std::optional<EdgeCut> solve() {
    add_units();
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) add_tensor(static_cast<int>(t));
    if (costs_.round_trip_s > 0) add_round_trip();
    if (problem_.result_at == ResultAt::kEdge) add_download();
    if (fixed_s_ >= kForbidden) return std::nullopt;
    MaxFlow flow(nodes_);
    for (const Arc& arc : arcs_) flow.add_arc(arc.from, arc.to, arc.seconds);
    const double seconds = flow.solve(kSource, kSink);
    if (seconds >= kForbidden) return std::nullopt;
    EdgeCut cut{fixed_s_ + seconds, std::vector<bool>(problem_.units.size(), false)};
    for (std::size_t u = 0; u < cut.on_edge.size(); ++u) {
      cut.on_edge[u] = item(flow.source_side(), unit_node(static_cast<int>(u)));
    }
    return cut;
  }

 private:
  static constexpr int kSource = 0;
  static constexpr int kSink = 1;
  static constexpr int kRoundTrip = 2;
  static constexpr int kDownload = 3;
  static constexpr int kFirstUnit = 4;

  struct Arc {
    int from;
    int to;
    double seconds;
  };

  int unit_node(int unit) const {
    if (unit < open_.first) return kSource;
    return unit >= open_.last ? kSink : kFirstUnit + unit - open_.first;
  }
  int maker_node(const ProblemTensor& tensor) const {
    return tensor.producer < 0 ? kSource : unit_node(tensor.producer);
  }

  void add(int from, int to, double seconds) {
    if (from == to || from == kSink || to == kSource) return;  // never cut
    if (from == kSource && to == kSink) {
      fixed_s_ += seconds;
    } else {
      arcs_.push_back({from, to, seconds});
    }
  }

  void add_units() {
    for (int u = 0; u < static_cast<int>(problem_.units.size()); ++u) {
      const int node = unit_node(u);
      add(node, kSink, item(costs_.edge_s, u));
      add(kSource, node, item(costs_.cloud_s, u));
    }
  }

  void add_tensor(int t) {
    const ProblemTensor& tensor = item(problem_.tensors, t);
    const int maker = maker_node(tensor);
    const bool delivered = tensor.is_output && problem_.result_at == ResultAt::kCloud;
    const bool past = tensor.consumers.empty() || tensor.consumers.back() < open_.first;
    if (maker == kSink || (past && !delivered)) return;
    const int node = nodes_++;
    add(maker, node, item(costs_.wire_s, t));
    for (const int u : tensor.consumers) {
      add(node, unit_node(u), kForbidden);
      if (tensor.producer >= 0) add(unit_node(u), maker, kForbidden);
    }
    if (delivered) add(node, kSink, kForbidden);
  }

  void add_round_trip() {
    std::vector<bool> behind_input(problem_.tensors.size(), false);
    for (const int t : problem_.inputs) item(behind_input, t) = true;
    for (std::size_t u = 0; u < problem_.units.size(); ++u) {
      const ProblemUnit& unit = problem_.units[u];
      const bool behind =
          std::any_of(unit.inputs.begin(), unit.inputs.end(), [&](int t) { return item(behind_input, t); });
      for (const int t : unit.outputs) item(behind_input, t) = behind;
      if (behind) add(kRoundTrip, unit_node(static_cast<int>(u)), kForbidden);
    }
    add(kSource, kRoundTrip, costs_.round_trip_s);
  }

  void add_download() {
    for (const int t : problem_.outputs) {
      const ProblemTensor& tensor = item(problem_.tensors, t);
      if (tensor.producer >= 0) add(kDownload, maker_node(tensor), kForbidden);
    }
    add(kSource, kDownload, problem_.link.result_bytes / problem_.link.download_bytes_per_s);
  }

  const Problem& problem_;
  const CutCosts& costs_;
  UnitRange open_;
  int nodes_;
  std::vector<Arc> arcs_;
  double fixed_s_ = 0;  ///< of what no cut changes
};

}  // namespace

std::optional<EdgeCut> least_edge_cut(const Problem& problem, const CutCosts& costs, const UnitRange& open) {
  return CutNetwork(problem, costs, open).solve();
}

// Network inputs come from before the first unit, results and what nobody consumes go behind the last.
std::vector<UnitRange> cut_blocks(const Problem& problem) {
  const int units = static_cast<int>(problem.units.size());
  std::vector<int> jumps(problem.units.size() + 1, 0);  // differences of: tensors made before a unit and used after it
  const auto jump = [&jumps](int from, int to) {
    if (to - from < 2) return;
    ++item(jumps, from + 1);
    --item(jumps, to);
  };
  for (const ProblemTensor& tensor : problem.tensors) {
    const bool leaves = tensor.is_output || (tensor.consumers.empty() && tensor.producer >= 0);
    if (leaves) jump(tensor.producer, units);
    if (!tensor.consumers.empty()) jump(tensor.producer, tensor.consumers.back());
  }
  for (int u = 0; u < units; ++u) {
    if (item(problem.units, u).inputs.empty()) jump(-1, u);
    if (item(problem.units, u).outputs.empty()) jump(u, units);
  }
  std::vector<UnitRange> blocks = {{0, units}};
  int over = 0;
  for (int u = 0; u < units; ++u) {
    over += item(jumps, u);
    if (over > 0) continue;
    blocks.back().last = u;
    blocks.push_back({u + 1, units});
  }
  return blocks;
}

}  // namespace cleave::search
