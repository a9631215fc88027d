#pragma once

#include <chrono>
#include <vector>

#include "exec/executor.h"
#include "exec/session.h"

namespace cleave::exec {

/// Takes the time at which each step begins and ends; it allocates before the run, not during it.
class UnitClock : public RunHook {
 public:
  /// Both must outlive the clock.
  UnitClock(const graph::Graph& graph, const Program& program);

  void after(std::int32_t step, std::span<std::byte* const> slots) override;
  /// The run's units in schedule order, each with its steps.
  std::vector<UnitTime> times() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Span {
    Clock::time_point begin{}, end{};
  };
  StepTime step_time(std::size_t step) const;

  const graph::Graph& graph_;
  const Program& program_;
  std::vector<Span> spans_;  ///< by step
  Clock::time_point begin_{};
};

}  // namespace cleave::exec
