#include "search/max_flow.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search {

void MaxFlow::add_arc(int from, int to, double capacity) {
  arcs_.push_back({to, item(heads_, from), capacity});
  item(heads_, from) = static_cast<int>(arcs_.size()) - 1;
  arcs_.push_back({from, item(heads_, to), 0});
  item(heads_, to) = static_cast<int>(arcs_.size()) - 1;
}

bool MaxFlow::find_levels(int source, int sink) {
  levels_.assign(heads_.size(), -1);
  std::vector<int> queue = {source};
  item(levels_, source) = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (int a = item(heads_, queue[i]); a >= 0; a = item(arcs_, a).next) {
      const Arc& arc = item(arcs_, a);
      if (arc.left <= smallest_ || item(levels_, arc.to) >= 0) continue;
      item(levels_, arc.to) = item(levels_, queue[i]) + 1;
      queue.push_back(arc.to);
    }
  }
  return item(levels_, sink) >= 0;
}

double MaxFlow::push(int node, int sink, double most) {
  if (node == sink) return most;
  for (int& a = item(cursors_, node); a >= 0; a = item(arcs_, a).next) {
    const Arc& arc = item(arcs_, a);
    if (arc.left <= smallest_ || item(levels_, arc.to) != item(levels_, node) + 1) continue;
    const double pushed = push(arc.to, sink, std::min(most, arc.left));
    if (pushed <= 0) continue;
    item(arcs_, a).left -= pushed;
    item(arcs_, a ^ 1).left += pushed;
    return pushed;
  }
  return 0;
}

double MaxFlow::solve(int source, int sink) {
  double finite = 0;
  for (const Arc& arc : arcs_) {
    if (arc.left < kUnlimited) finite += arc.left;
  }
  smallest_ = finite * 1e-15;
  double total = 0;
  while (find_levels(source, sink)) {
    cursors_ = heads_;
    for (double pushed = push(source, sink, kUnlimited); pushed > 0; pushed = push(source, sink, kUnlimited)) {
      total += pushed;
      if (total >= kUnlimited) return total;
    }
  }
  return total;
}

std::vector<bool> MaxFlow::source_side(int source) const {
  std::vector<bool> reached(heads_.size(), false);
  std::vector<int> stack = {source};
  item(reached, source) = true;
  while (!stack.empty()) {
    const int node = stack.back();
    stack.pop_back();
    for (int a = item(heads_, node); a >= 0; a = item(arcs_, a).next) {
      const Arc& arc = item(arcs_, a);
      if (arc.left <= smallest_ || item(reached, arc.to)) continue;
      item(reached, arc.to) = true;
      stack.push_back(arc.to);
    }
  }
  return reached;
}

}  // namespace cleave::search
