#include "exec/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "random_tensor.h"

namespace cleave::exec {
namespace {

std::vector<Lifetime> random_blocks(testing::Numbers& numbers) {
  std::vector<Lifetime> blocks(static_cast<std::size_t>(numbers.integer(1, 40)));
  for (Lifetime& block : blocks) {
    block.bytes = numbers.integer(0, 5000);
    block.first = static_cast<std::int32_t>(numbers.integer(0, 30));
    block.last = block.first + static_cast<std::int32_t>(numbers.integer(0, 8));
  }
  return blocks;
}

/// Largest sum of bytes alive at one step: no plan needs less.
std::int64_t live_peak(const std::vector<Lifetime>& blocks) {
  std::int64_t peak = 0;
  for (std::int32_t step = 0; step < 64; ++step) {
    std::int64_t alive = 0;
    for (const Lifetime& b : blocks) alive += b.first <= step && step <= b.last ? b.bytes : 0;
    peak = std::max(peak, alive);
  }
  return peak;
}

TEST(MemoryPlan, NeverPutsTwoLivingBlocksOnTheSameBytes) {
  testing::Numbers numbers(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> blocks = random_blocks(numbers);
    const std::int64_t bytes = assign_offsets(blocks);
    EXPECT_GE(bytes, live_peak(blocks));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Lifetime& a = blocks[i];
      EXPECT_EQ(a.offset % 64, 0);
      EXPECT_LE(a.offset + a.bytes, bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const Lifetime& b = blocks[j];
        const bool together = a.first <= b.last && b.first <= a.last;
        const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
        EXPECT_TRUE(!together || apart);
      }
    }
  }
}

TEST(MemoryPlan, ReusesTheBytesOfDeadBlocks) {
  std::vector<Lifetime> chain = {{640, 0, 1, 0}, {640, 1, 2, 0}, {640, 2, 3, 0}, {640, 3, 4, 0}};
  EXPECT_EQ(assign_offsets(chain), 1280);
}

}  // namespace
}  // namespace cleave::exec
