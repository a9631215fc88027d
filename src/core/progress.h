#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

namespace cleave {

/// How far a stage has come; the library never prints, the command line shows it.
struct Progress {
  std::int64_t done = 0;
  std::int64_t total = 0;
};

using ProgressCallback = std::function<void(const Progress&)>;

/// How a long stage talks to its caller: progress out, a stop request in.
struct StageControl {
  ProgressCallback on_progress;  ///< may be empty
  std::stop_token stop;          ///< a stage that sees it saves what it has and throws Error(kInterrupted)

  void report(std::int64_t done, std::int64_t total) const {
    if (on_progress) on_progress({done, total});
  }
};

}  // namespace cleave
