#include "search/exact_tie_order.h"

namespace cleave::search::exact {

/// Of each list the sign at the earliest position seen, where going back meets the earliest last.
struct TieOrder::Difference {
  int edge_units = 0, positions = 0, weights = 0, activations = 0, wires = 0;

  int sign() const {
    for (const int one : {edge_units, positions, weights, activations}) {
      if (one != 0) return one;
    }
    return wires;
  }
};

namespace {

void note(int a, int b, int& difference) {
  if (a != b) difference = a < b ? -1 : 1;
}

}  // namespace

int TieOrder::compare(const Label& a, const Label& b) const {
  Difference difference;
  const Label *left = &a, *right = &b;
  for (;;) {
    look_at(*left, *right, difference);
    if (left->parent == right->parent) return difference.sign();
    left = &arena_[left->parent];
    right = &arena_[right->parent];
  }
}

int TieOrder::option_of(const Label& label, const Step& step) const {
  return label.offer >= 0 ? graph_.offers(step.menu)[static_cast<std::size_t>(label.offer)].option : -1;
}

void TieOrder::look_at(const Label& a, const Label& b, Difference& difference) const {
  const Step &left = graph_.step(a.step), &right = graph_.step(b.step);
  if (left.kind == StepKind::kEdgeTensor && right.kind == StepKind::kEdgeTensor) {
    note(left.activation, right.activation, difference.activations);
    note(option_of(a, left), option_of(b, right), difference.wires);
  } else if (left.kind == StepKind::kEdgeUnit && right.kind == StepKind::kEdgeUnit) {
    note(option_of(a, left), option_of(b, right), difference.weights);
  } else if (left.kind == StepKind::kEdgeUnit || right.kind == StepKind::kEdgeUnit) {
    const int on_edge = left.kind == StepKind::kEdgeUnit ? 1 : -1;
    difference.edge_units += on_edge;
    difference.positions = -on_edge;
  }
}

}  // namespace cleave::search::exact
