#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace cleave::tune {

/// What tuning can do, in the order in which it is done.
enum class Step { kEqualize, kLoosen, kLapq, kGrids, kGptq, kCompensate, kAciq, kBias, kRefine };

/// The ordered table of steps: name as on the command line, one line for people, whether it is on by default.
struct StepRow {
  Step step;
  const char* name;
  const char* what;
  bool by_default;
};
std::span<const StepRow> tuning_steps();
std::string_view step_name(Step step);

using Steps = std::set<Step>;
Steps default_steps();
/// "gptq,bias"; "default", "all", "none"; "default,-lapq" and "none,+gptq" change a list. Throws Error(kUsage).
Steps steps_from_text(const std::string& text);
std::string steps_text(const Steps& steps);

}  // namespace cleave::tune
