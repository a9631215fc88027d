#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace cleave::testing {

/// A program that answers each line of its input with one line; ended (by the end of its input) in the destructor.
class LineProcess {
 public:
  /// Throws std::runtime_error when it cannot be started.
  explicit LineProcess(const std::vector<std::string>& command);
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  /// Throws std::runtime_error when the program ends instead of answering.
  std::string ask(const std::string& line);

 private:
  pid_t process_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace cleave::testing
