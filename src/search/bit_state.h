#pragma once

#include <vector>

#include "search/edge_part.h"

namespace cleave::search {

/// What is decided for one unit or tensor.
enum class Kind { kWeight, kActivation, kWire };
struct Change {
  Kind kind;
  int position;  ///< unit or tensor
  int option;
};
/// Changes that are made together.
using Move = std::vector<Change>;

/// A full choice for a fixed set of edge units, with its sums kept up to date change by change.
class BitState {
 public:
  BitState(const Problem& problem, const EdgePart& part, Choice choice);

  struct Sums {
    double latency_s = 0;
    std::int64_t weight_bytes = 0;
    std::int64_t peak_bytes = 0;
    double distortion = 0;
  };
  const Sums& sums() const { return sums_; }
  const Choice& choice() const { return choice_; }
  int option(Kind kind, int position) const;

  /// The sums after a move, which is then taken back.
  Sums after(const Move& move);
  /// Makes a move for good.
  void make(const Move& move);

 private:
  void apply(const Change& change);
  void add_live(int tensor, std::int64_t bytes);
  void recount();
  std::vector<int>& options_of(Kind kind);

  const Problem& problem_;
  const EdgePart& part_;
  Choice choice_;
  std::vector<std::vector<std::size_t>> live_in_;  ///< per tensor: the edge units during which it is live
  std::vector<double> unit_s_;                     ///< per unit
  std::vector<std::int64_t> live_bytes_;           ///< per edge unit
  Sums sums_;
};

}  // namespace cleave::search
