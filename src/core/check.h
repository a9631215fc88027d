#pragma once

namespace cleave {

/// Prints file:line, the condition and why it must hold, then aborts. Used by CLEAVE_CHECK only.
[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace cleave

/// An invariant of our own code; checked in Release too. Never for data that came from outside.
#define CLEAVE_CHECK(condition, why) \
  ((condition) ? static_cast<void>(0) : ::cleave::check_failed(#condition, why, __FILE__, __LINE__))
