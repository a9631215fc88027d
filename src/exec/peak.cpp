#include "exec/peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/parallel.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec {

namespace {

constexpr int kRuns = 20;
constexpr double kRunSeconds = 0.004;

using Loop = double (*)(std::int64_t rounds);
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Rounds that keep one thread busy for about kRunSeconds.
std::int64_t rounds_per_run(Loop loop) {
  std::int64_t rounds = 1000;
  for (;;) {
    const auto begin = Clock::now();
    loop(rounds);
    const double seconds = seconds_since(begin);
    if (seconds > kRunSeconds / 4)
      return static_cast<std::int64_t>(static_cast<double>(rounds) * kRunSeconds / seconds);
    rounds *= 4;
  }
}

/// Multiply-adds per second: each thread's own rate, summed; threads that start late do not count as slow ones.
double macs_per_s(Loop loop, int threads) {
  const std::int64_t rounds = rounds_per_run(loop);
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> rates(static_cast<std::size_t>(threads));
    parallel_for(threads, threads, [&](std::int64_t thread) {
      const auto begin = Clock::now();
      const double operations = loop(rounds);
      rates[static_cast<std::size_t>(thread)] = operations / 2 / seconds_since(begin);
    });
    double sum = 0;
    for (const double rate : rates) sum += rate;
    best = std::max(best, sum);
  }
  return best;
}

}  // namespace

Peak measure_peak(int threads) {
  const int count = thread_count(threads);
  const simd::PeakLoops& loops = simd::kernels().peak;
  return {simd::name_of(simd::best_isa()), macs_per_s(loops.float_multiply_add, count),
          macs_per_s(loops.code_dot_product, count)};
}

}  // namespace cleave::exec
