#pragma once

#include <cstdint>
#include <functional>

namespace cleave {

/// Runs body(i) for i in [0, count) on up to `threads` threads (0: all cores). Work is taken in index order;
/// results must be written to slot i and combined by the caller in index order, so that nothing depends on the
/// thread count. The first exception (by index) is rethrown after all threads stopped.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body);

/// The number of threads that `requested` stands for: itself, or all cores when it is 0 or less.
int thread_count(int requested);

}  // namespace cleave
