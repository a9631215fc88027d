#include "core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace cleave {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnceForAnyThreadCount) {
  for (const int threads : {1, 2, 7}) {
    std::vector<std::atomic<int>> visits(100);
    parallel_for(100, threads, [&](std::int64_t i) { ++visits[static_cast<std::size_t>(i)]; });
    for (const auto& count : visits) EXPECT_EQ(count, 1);
  }
}

TEST(ParallelFor, PassesAnExceptionOnAfterAllThreadsStopped) {
  EXPECT_THROW(parallel_for(50, 4,
                            [](std::int64_t i) {
                              if (i == 10) throw std::runtime_error("ten");
                            }),
               std::runtime_error);
}

TEST(ParallelFor, DoesNothingForNoItems) {
  parallel_for(0, 3, [](std::int64_t) { FAIL() << "there is no item"; });
}

}  // namespace
}  // namespace cleave
