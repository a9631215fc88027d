#include "exec/thread_scope.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <set>

namespace cleave::exec {
namespace {

/// CPUs that each thread of a pool of `threads` may use.
std::vector<cpu_set_t> affinities(int threads) {
  std::vector<cpu_set_t> sets(static_cast<std::size_t>(threads));
#pragma omp parallel num_threads(threads)
  sched_getaffinity(0, sizeof(cpu_set_t), &sets[static_cast<std::size_t>(omp_get_thread_num())]);
  return sets;
}

TEST(ThreadScope, SetsThePoolsSizeAndPutsItBack) {
  const int before = omp_get_max_threads();
  {
    const ThreadScope scope(before + 2, nullptr);
    EXPECT_EQ(omp_get_max_threads(), before + 2);
  }
  EXPECT_EQ(omp_get_max_threads(), before);
}

TEST(ThreadScope, PinnedEveryThreadHasOneCpuAndGetsItsOwnBack) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  const auto before = affinities(3);
  std::vector<SavedAffinity> saved;
  {
    const ThreadScope scope(3, &saved);
    const auto pinned = affinities(3);
    cpu_set_t together;
    CPU_ZERO(&together);
    for (const cpu_set_t& cpus : pinned) {
      EXPECT_EQ(CPU_COUNT(&cpus), 1);
      CPU_OR(&together, &together, &cpus);
    }
    EXPECT_EQ(CPU_COUNT(&together), std::min(3, CPU_COUNT(&allowed)));
  }
  const auto after = affinities(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(CPU_EQUAL(&after[i], &before[i])) << i;
}

}  // namespace
}  // namespace cleave::exec
