// Writes networks with seeded weights as ONNX files:
//
//   make_networks NAME... -o DIR      DIR/NAME.onnx each; "all" for all of them (1.4 GB)
//   make_networks --list              their names, sides, MACs and parameters
//
// The same bytes on every run; files that are there are written again.
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "graph/onnx_write.h"
#include "networks.h"

namespace cleave::bench {
namespace {

struct Options {
  std::vector<const NamedNetwork*> networks;
  std::filesystem::path folder;
};

void add_network(Options& options, const std::string& name) {
  if (name != "all") {
    options.networks.push_back(&network_named(name));
    return;
  }
  for (const NamedNetwork& network : networks()) options.networks.push_back(&network);
}

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "-o" && i + 1 < arguments.size()) {
      options.folder = arguments[++i];
    } else if (arguments[i].starts_with("-")) {
      return std::nullopt;
    } else {
      add_network(options, arguments[i]);
    }
  }
  return options.networks.empty() || options.folder.empty() ? std::nullopt : std::optional(options);
}

void list() {
  std::printf("%-16s %5s %15s %12s\n", "name", "side", "macs", "parameters");
  for (const NamedNetwork& row : networks()) {
    std::printf("%-16s %5lld %15lld %12lld\n", row.name, static_cast<long long>(row.side),
                static_cast<long long>(row.macs), static_cast<long long>(row.parameters));
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--list") {
    list();
    return 0;
  }
  const auto options = parse(arguments);
  if (!options) {
    std::fputs("usage: make_networks NAME... -o DIR | make_networks --list\n", stderr);
    return 2;
  }
  std::filesystem::create_directories(options->folder);
  for (const NamedNetwork* network : options->networks) {
    const std::filesystem::path file = options->folder / (std::string(network->name) + ".onnx");
    graph::save_onnx(network->make(), file);
    std::printf("%s\n", file.c_str());
  }
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
