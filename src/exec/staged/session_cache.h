#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::exec {

/// Whether what a cache compiles may itself need more than one stage.
enum class Stages {
  kOne,   ///< no: a shape that stays unknown is an error
  kMany,  ///< yes
};

/// A graph whose input shapes each run decides: one session per shape signature, made when it first comes. The least
/// recently used one goes when there are more than kMostSessions.
class SessionCache {
 public:
  static constexpr std::size_t kMostSessions = 32;

  /// `by_value`: per input, true where the value belongs to the signature and is compiled in as a constant; empty
  /// means nowhere.
  SessionCache(graph::Graph pattern, const SessionOptions& options, std::vector<bool> by_value = {},
               Stages stages = Stages::kMany);

  const graph::Graph& pattern() const { return pattern_; }
  /// Compiled sessions at the moment.
  std::size_t size() const { return sessions_.size(); }

  /// The session for these inputs (in the pattern's order); valid until the next call.
  /// Throws Error(kUnsupported) naming node and reason.
  Session& session_for(std::span<const Tensor> inputs);
  /// What that session wants of them: all but those taken by value.
  std::vector<Tensor> open_inputs(std::span<const Tensor> inputs) const;

  std::vector<Tensor> run(std::span<const Tensor> inputs);

 private:
  struct Entry {
    std::unique_ptr<Session> session;
    std::uint64_t last_use = 0;
  };

  bool is_by_value(std::size_t i) const { return i < by_value_.size() && by_value_[i]; }
  std::string signature(std::span<const Tensor> inputs) const;
  std::unique_ptr<Session> compiled(std::span<const Tensor> inputs) const;
  void make_room();

  graph::Graph pattern_;
  SessionOptions options_;
  std::vector<bool> by_value_;
  Stages stages_;
  std::map<std::string, Entry> sessions_;
  std::uint64_t uses_ = 0;
};

}  // namespace cleave::exec
