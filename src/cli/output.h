#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/progress.h"

namespace cleave::cli {

/// The result, to stdout. Throws Error(kIo) when it cannot be written (a full disk, a closed pipe).
void write_result(const std::string& text);
void write_result(const Json& json);

/// A line of log, to stderr.
void log_info(const std::string& text);
void log_warning(const std::string& text);
void log_error(const Error& error);
/// Only warnings and errors from now on.
void set_quiet();

/// Columns of text aligned for people: first row is the heading; numbers right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> heading);
  void row(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "12.3" with a fixed number of decimals.
std::string fixed(double value, int decimals);
/// Whole numbers in groups of three, others shortest.
std::string number_text(double value);
/// "1.2 MB", "345 kB", "678 B".
std::string human_bytes(double bytes);

/// Shows how far a stage has come: one line with rate and time to go on a terminal, else a line every 10 seconds.
class ProgressLine {
 public:
  /// `noun` is what is counted: "images".
  ProgressLine(std::string label, std::string noun, bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// For a stage: progress goes here, a stop request comes from Ctrl-C.
  StageControl control();
  /// Ends the line with a summary; call it before the result is written. The destructor does it otherwise.
  void finish();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cleave::cli
