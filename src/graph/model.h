#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// Limits that a file must respect before it is trusted.
struct LoadOptions {
  std::int64_t max_nodes = 1'000'000;
  int max_depth = 64;  ///< of nested subgraphs
};

/// An ONNX network as its file says it: checked, every weight within reach, nothing rewritten but the opset. Constant
/// nodes are read as constants, and types and shapes (symbolic ones too) are inferred where the file does not say them.
///
/// A single infinite number is accepted as a bound (Clip, Min); in larger weights infinity and NaN are refused.
/// Networks below opset 13 are raised to 13 by libonnx's version converter, so that one meaning per operator is
/// enough everywhere else; original_opset() tells where it came from.
class Model {
 public:
  /// Loads a file; weights stay in the file's buffer or in memory-mapped external files.
  /// Throws Error(kIo) when it cannot be read, Error(kInvalidInput) when it is not ONNX, truncated, cyclic, has
  /// duplicate names, dimensions that overflow, NaN or infinite weights, missing or escaping external data;
  /// Error(kUnsupported) for IR < 3 or an opset that cannot be raised.
  static Model load(const std::filesystem::path& path, const LoadOptions& options = {});
  /// The same from memory; external data is looked for in `folder`.
  static Model parse(std::string_view bytes, const std::string& name, const std::filesystem::path& folder,
                     const LoadOptions& options = {});

  const std::string& path() const { return path_; }
  /// SHA-256 of the model file (external data not included; the graph fingerprint covers the weights).
  const std::string& sha256() const { return sha256_; }
  int original_opset() const { return original_opset_; }
  int original_ir_version() const { return original_ir_version_; }
  /// The network at opset max(13, own) and IR max(7, own); dimensions may be symbolic.
  const Graph& graph() const { return *graph_; }
  /// True when the first dimension of every network input is symbolic.
  bool symbolic_batch() const;

 private:
  std::string path_;
  std::string sha256_;
  int original_opset_ = 0;
  int original_ir_version_ = 0;
  std::shared_ptr<const Graph> graph_;
};

}  // namespace cleave::graph
