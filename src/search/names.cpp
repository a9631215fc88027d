#include <array>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "search/problem.h"
#include "search/solver.h"

namespace cleave::search {

namespace {

/// Position of `name` in a list of option values. Throws Error(kUsage).
template <std::size_t N>
std::size_t position(const std::string& name, const std::array<std::string, N>& values, const std::string& option) {
  for (std::size_t i = 0; i < N; ++i) {
    if (values[i] == name) return i;
  }
  throw Error(ErrorKind::kUsage,
              option + " '" + name + "' is none of " + join_text(values, ", ") + did_you_mean(name, values));
}

}  // namespace

ResultAt result_at_from_name(const std::string& name) {
  const std::array<std::string, 3> values{"edge", "cloud", "anywhere"};
  return static_cast<ResultAt>(position(name, values, "--result-at"));
}

Pricing pricing_from_name(const std::string& name) {
  const std::array<std::string, 2> values{"exact", "single-tensor"};
  return static_cast<Pricing>(position(name, values, "--pricing"));
}

}  // namespace cleave::search
