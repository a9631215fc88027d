#pragma once

#include <stdexcept>
#include <string>

namespace cleave {

/// What went wrong, from the caller's point of view; each kind has one process exit code (the CLI contract).
enum class ErrorKind {
  kUsage,         ///< 2: wrong flag, unknown configuration key
  kInvalidInput,  ///< 3: a file or number that makes no sense
  kUnsupported,   ///< 4: valid, but cleave cannot do it
  kIo,            ///< 5: cannot read or write
  kStale,         ///< 6: artefact made from another model or table
  kConstraint,    ///< 7: infeasible, or a constraint is not met
  kOutOfTime,     ///< 8: no plan before the time limit
  kNetwork,       ///< 9
  kMismatch,      ///< 10: verification found a difference
  kInterrupted,   ///< 130: stopped by the user, progress saved
};

/// The caller's data is wrong. what() says where and what, hint() the way out (may be empty).
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what, std::string hint = {});

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& hint() const noexcept { return hint_; }

  /// The same error with "context: " before its message.
  Error within(const std::string& context) const;

 private:
  ErrorKind kind_;
  std::string hint_;
};

/// The process exit code that stands for an error kind (docs: command line contract).
int exit_code(ErrorKind kind);

}  // namespace cleave
