#pragma once

#include <cstddef>

namespace cleave::search {

/// list[position] for the int positions of a problem.
template <typename List>
decltype(auto) item(List& list, int position) {
  return list[static_cast<std::size_t>(position)];
}

}  // namespace cleave::search
