// Writes a synthetic problem (cleave.problem/1) for measuring solvers; synthetic.h says what is in it:
//
//   make_problem UNITS [--blocks chain|residual|dense|inception|mixed] [--seed N] -o FILE
//
// Default: mixed blocks, seed 1. The same arguments give the same bytes.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/text.h"
#include "synthetic.h"

namespace cleave::bench {
namespace {

struct Options {
  std::optional<std::int64_t> units;
  BlockKind blocks = BlockKind::kMixed;
  std::optional<std::int64_t> seed = 1;
  std::filesystem::path output;

  bool complete() const { return units && *units < 1'000'000 && seed && !output.empty(); }
};

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--blocks" && has_value) {
      options.blocks = block_from_name(arguments[++i]);
    } else if (arguments[i] == "--seed" && has_value) {
      options.seed = parse_integer(arguments[++i]);
    } else if (arguments[i] == "-o" && has_value) {
      options.output = arguments[++i];
    } else if (!options.units) {
      options.units = parse_integer(arguments[i]);
      if (!options.units) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return options.complete() ? std::optional(options) : std::nullopt;
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parse(arguments);
  if (!options) {
    std::fputs("usage: make_problem UNITS [--blocks chain|residual|dense|inception|mixed] [--seed N] -o FILE\n",
               stderr);
    return 2;
  }
  const auto seed = static_cast<std::uint64_t>(*options->seed);
  write_json(options->output, synthetic_problem(static_cast<int>(*options->units), options->blocks, seed).to_json());
  return 0;
}

}  // namespace
}  // namespace cleave::bench

int main(int count, char** values) {
  try {
    return cleave::bench::run({values + 1, values + count});
  } catch (const cleave::Error& error) {
    std::fprintf(stderr, "%s. %s\n", error.what(), error.hint().c_str());
    return cleave::exit_code(error.kind());
  }
}
