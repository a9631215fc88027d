#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "search/bit_search.h"

namespace cleave::search::exact {

/// Bytes of a tensor that is stored with these bits.
std::int64_t stored_bytes(const ProblemTensor& tensor, int bits);

/// What a goal counts of a choice: its seconds (kLatency), its distortion (kDistortion), or neither.
double counted(Goal goal, double latency_s, double distortion);

/// One way to fill a step's open choice: a weight option of the unit, or a wire option of the tensor.
struct Offer {
  double seconds = 0;
  double distortion = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t held_bytes = 0;  ///< storage until the edge part ends, where this choice decides about it
  int option = -1;
  bool efficient = true;  ///< no other offer is at least as good in everything and better in something
};

struct Menu {
  std::vector<Offer> offers;
  int wire = -1;  ///< the tensor that is sent; -1: weights
};

/// Every menu once.
class Menus {
 public:
  Menus(const Problem& problem, Goal goal, bool track_memory)
      : problem_(problem), goal_(goal), track_memory_(track_memory) {}

  /// Of a unit whose widest input has these bits. Returns the menu's position in all().
  int weights(int unit, int widest);
  /// charged: the bytes cost time; stores: the wire's bits decide about the tensor's storage.
  int wire(int tensor, bool charged, bool stores);

  /// Least held bytes of a menu's offers; 0 for -1.
  std::int64_t least_held(int menu) const;
  std::vector<Menu>& all() { return menus_; }

 private:
  int add(Menu menu);

  const Problem& problem_;
  Goal goal_;
  bool track_memory_;
  std::vector<Menu> menus_;
  std::map<std::pair<int, int>, int> weights_;
  std::map<std::tuple<int, bool, bool>, int> wires_;
};

}  // namespace cleave::search::exact
