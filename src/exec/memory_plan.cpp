#include "exec/memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace cleave::exec {
namespace {

constexpr std::int64_t kAlignment = 64;  // bytes: a cache line and the widest vector register

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool overlap(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Lowest offset where `block` fits among the placed blocks that live at the same time.
std::int64_t lowest_fit(const Lifetime& block, const std::vector<const Lifetime*>& placed) {
  std::vector<const Lifetime*> rivals;
  for (const Lifetime* other : placed) {
    if (overlap(block, *other)) rivals.push_back(other);
  }
  std::sort(rivals.begin(), rivals.end(), [](const Lifetime* a, const Lifetime* b) { return a->offset < b->offset; });
  std::int64_t offset = 0;
  for (const Lifetime* rival : rivals) {
    if (offset + block.bytes <= rival->offset) break;
    offset = std::max(offset, aligned(rival->offset + rival->bytes));
  }
  return offset;
}

/// Life of each buffer in steps; outputs live beyond the end.
std::vector<Lifetime> lifetimes_of(const Program& program) {
  std::vector<Lifetime> lives(program.buffers.size(), {0, std::numeric_limits<std::int32_t>::max(), -1, 0});
  for (std::size_t b = 0; b < lives.size(); ++b) lives[b].bytes = program.buffers[b].bytes;
  const auto touch = [&](SlotId id, std::size_t step) {
    Lifetime& life = lives[program.slots[index(id)].buffer];
    life.first = std::min(life.first, static_cast<std::int32_t>(step));
    life.last = std::max(life.last, static_cast<std::int32_t>(step));
  };
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    for (const SlotId id : program.steps[s].reads) touch(id, s);
    for (const SlotId id : program.steps[s].writes) touch(id, s);
  }
  for (const SlotId id : program.outputs) {
    lives[program.slots[index(id)].buffer].last = std::numeric_limits<std::int32_t>::max();
  }
  return lives;
}

bool can_overwrite(const Program& program, const std::vector<Lifetime>& lives, std::size_t step) {
  const ScheduledStep& s = program.steps[step];
  if (s.may_overwrite == SlotId::kNone) return false;
  const std::size_t from = program.slots[index(s.may_overwrite)].buffer;
  const std::size_t to = program.slots[index(s.writes[0])].buffer;
  if (from == to || program.buffers[from].storage != Storage::kArena) return false;
  if (program.buffers[from].bytes != program.buffers[to].bytes) return false;
  if (lives[from].last != static_cast<std::int32_t>(step)) return false;
  // Read twice (x + conv(x)), the place is still needed while the step runs.
  const auto readers =
      std::count_if(s.reads.begin(), s.reads.end(), [&](SlotId id) { return program.slots[index(id)].buffer == from; });
  return readers == 1;
}

void share_places(Program& program) {
  std::vector<Lifetime> lives = lifetimes_of(program);
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    if (!can_overwrite(program, lives, step)) continue;
    const std::size_t from = program.slots[index(program.steps[step].may_overwrite)].buffer;
    const std::size_t to = program.slots[index(program.steps[step].writes[0])].buffer;
    for (Slot& slot : program.slots) {
      if (slot.buffer == from) slot.buffer = to;
    }
    lives[to].first = std::min(lives[to].first, lives[from].first);
  }
}

}  // namespace

std::int64_t assign_offsets(std::vector<Lifetime>& blocks) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<const Lifetime*> placed;
  std::int64_t peak = 0;
  for (const std::size_t i : order) {
    blocks[i].offset = lowest_fit(blocks[i], placed);
    peak = std::max(peak, blocks[i].offset + blocks[i].bytes);
    placed.push_back(&blocks[i]);
  }
  return peak;
}

void plan_memory(Program& program) {
  share_places(program);
  const std::vector<Lifetime> lives = lifetimes_of(program);
  std::vector<Lifetime> blocks;
  std::vector<std::size_t> owner;
  for (std::size_t b = 0; b < lives.size(); ++b) {
    if (program.buffers[b].storage != Storage::kArena || lives[b].last < 0) continue;
    blocks.push_back(lives[b]);
    owner.push_back(b);
  }
  program.arena_bytes = assign_offsets(blocks);
  for (std::size_t i = 0; i < blocks.size(); ++i) program.buffers[owner[i]].offset = blocks[i].offset;
  for (const ScheduledStep& step : program.steps) {
    program.scratch_bytes = std::max(program.scratch_bytes, step.scratch_bytes);
  }
}

}  // namespace cleave::exec
