#include "exec/unit_clock.h"

namespace cleave::exec {

namespace {

std::int64_t bytes_of(const Program& program, const std::vector<SlotId>& slots) {
  std::int64_t bytes = 0;
  for (const SlotId id : slots) {
    const Slot& slot = program.slots[index(id)];
    bytes += element_count(slot.shape) * static_cast<std::int64_t>(dtype_bytes(slot.dtype));
  }
  return bytes;
}

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

UnitClock::UnitClock(const graph::Graph& graph, const Program& program)
    : graph_(graph), program_(program), spans_(program.steps.size()) {}

void UnitClock::after(std::int32_t step, std::span<std::byte* const>) {
  if (step >= 0) spans_[static_cast<std::size_t>(step)] = {begin_, Clock::now()};
  begin_ = Clock::now();
}

StepTime UnitClock::step_time(std::size_t step) const {
  const ScheduledStep& scheduled = program_.steps[step];
  StepTime time;
  time.op = scheduled.op;
  time.kernel = scheduled.step->describe();
  time.begin_s = seconds(spans_[step].begin.time_since_epoch());
  time.seconds = seconds(spans_[step].end - spans_[step].begin);
  time.bytes = bytes_of(program_, scheduled.reads) + bytes_of(program_, scheduled.writes);
  if (!scheduled.reads.empty()) time.reads = program_.slots[index(scheduled.reads[0])].dtype;
  return time;
}

std::vector<UnitTime> UnitClock::times() const {
  std::vector<UnitTime> times;
  for (const graph::Unit& unit : graph_.units()) times.push_back({unit.name, unit.op, 0, unit.macs, {}});
  for (std::size_t step = 0; step < spans_.size(); ++step) {
    UnitTime& unit = times[graph::index(program_.steps[step].unit)];
    unit.steps.push_back(step_time(step));
    unit.seconds += unit.steps.back().seconds;
  }
  return times;
}

}  // namespace cleave::exec
