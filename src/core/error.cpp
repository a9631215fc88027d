#include "core/error.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/check.h"

namespace cleave {

Error::Error(ErrorKind kind, const std::string& what, std::string hint)
    : std::runtime_error(what), kind_(kind), hint_(std::move(hint)) {}

Error Error::within(const std::string& context) const {
  return Error(kind_, context + ": " + what(), hint_);
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kInvalidInput:
      return 3;
    case ErrorKind::kUnsupported:
      return 4;
    case ErrorKind::kIo:
      return 5;
    case ErrorKind::kStale:
      return 6;
    case ErrorKind::kConstraint:
      return 7;
    case ErrorKind::kOutOfTime:
      return 8;
    case ErrorKind::kNetwork:
      return 9;
    case ErrorKind::kMismatch:
      return 10;
    case ErrorKind::kInterrupted:
      return 130;
  }
  return 1;
}

void check_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s (%s)\n", file, line, condition, why);
  std::abort();
}

}  // namespace cleave
