#pragma once

#include <sched.h>

#include <vector>

namespace cleave::exec {

/// What one thread of the pool had before it was pinned.
struct SavedAffinity {
  bool changed = false;
  cpu_set_t cpus;
};

/// The calling thread's OpenMP pool for the time of the scope: its size and, if wanted, where its threads run.
///
/// Pinned, thread i of the pool runs on the i-th of the CPUs that the calling thread may use (again from the first one
/// when there are more threads than CPUs); every thread gets its own CPUs back at the end. Where the system refuses,
/// threads run where they did.
class ThreadScope {
 public:
  /// threads >= 1. `saved`: room for one entry per thread, kept by the caller so that a scope allocates nothing once
  /// it has grown; empty: not pinned.
  ThreadScope(int threads, std::vector<SavedAffinity>* saved);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  void pin();
  void unpin();

  int threads_;
  int before_;
  std::vector<SavedAffinity>* saved_;
};

}  // namespace cleave::exec
