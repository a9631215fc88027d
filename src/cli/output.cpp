#include "cli/output.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "cli/interrupt.h"
#include "core/text.h"

namespace cleave::cli {

namespace {

/// stderr, coloured on a terminal unless NO_COLOR is set.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    const bool plain = std::getenv("NO_COLOR") != nullptr || ::isatty(STDERR_FILENO) == 0;
    auto made = plain ? spdlog::stderr_logger_mt("cleave") : spdlog::stderr_color_mt("cleave");
    made->set_pattern("%^%l%$: %v");
    return made;
  }();
  return *instance;
}

bool is_numeric(const std::string& cell) {
  return !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell[0])) != 0 || cell[0] == '-');
}

}  // namespace

void write_result(const std::string& text) {
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error(ErrorKind::kIo, std::string("cannot write the result: ") + std::strerror(errno));
    left.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_result(const Json& json) {
  write_result(to_text(json));
}

void log_info(const std::string& text) {
  logger().info("{}", text);
}
void log_warning(const std::string& text) {
  logger().warn("{}", text);
}
void log_error(const Error& error) {
  logger().error("{}", error.what());
  if (!error.hint().empty()) fmt::print(stderr, "       {}\n", error.hint());
}
void set_quiet() {
  logger().set_level(spdlog::level::warn);
}

Table::Table(std::vector<std::string> heading) {
  rows_.push_back(std::move(heading));
}

void Table::row(std::vector<std::string> cells) {
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> width(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool right = rows_.size() > 1 && is_numeric(rows_[1][i]);
      line += right ? fmt::format("{:>{}}  ", row[i], width[i]) : fmt::format("{:<{}}  ", row[i], width[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string fixed(double value, int decimals) {
  return fmt::format("{:.{}f}", value, decimals);
}

std::string number_text(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? grouped(static_cast<std::int64_t>(value))
                                                              : fmt::format("{}", value);
}

std::string human_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

struct ProgressLine::State {
  using Clock = std::chrono::steady_clock;

  void show(const Progress& progress) {
    const std::lock_guard lock(mutex);
    const Clock::time_point now = Clock::now();
    const double interval_s = terminal ? 0.1 : 10;
    last = progress;
    if (std::chrono::duration<double>(now - shown).count() < interval_s) return;
    shown = now;
    print(now, terminal ? "\r" : "", terminal ? "\033[K" : "\n");
  }

  void print(Clock::time_point now, const char* before, const char* after) {
    const double elapsed_s = std::chrono::duration<double>(now - start).count();
    const double rate = elapsed_s > 0 ? static_cast<double>(last.done) / elapsed_s : 0;
    const double left_s = rate > 0 ? static_cast<double>(last.total - last.done) / rate : 0;
    fmt::print(stderr, "{}{}: {}/{} {}  {:.1f} {}/s  {:.0f} s left{}", before, label, last.done, last.total, noun, rate,
               noun, left_s, after);
    std::fflush(stderr);
  }

  void finish() {
    if (quiet || last.total == 0) return;
    const double elapsed_s = std::chrono::duration<double>(Clock::now() - start).count();
    fmt::print(stderr, "{}{}: {} {} in {:.1f} s{}\n", terminal ? "\r" : "", label, last.done, noun, elapsed_s,
               terminal ? "\033[K" : "");
    last = {};
  }

  std::string label;
  std::string noun;
  bool quiet = false;
  bool terminal = ::isatty(STDERR_FILENO) != 0;
  std::mutex mutex;
  Progress last;
  Clock::time_point start = Clock::now();
  Clock::time_point shown = start;
};

ProgressLine::ProgressLine(std::string label, std::string noun, bool quiet) : state_(std::make_shared<State>()) {
  state_->label = std::move(label);
  state_->noun = std::move(noun);
  state_->quiet = quiet;
}

ProgressLine::~ProgressLine() {
  finish();
}

void ProgressLine::finish() {
  state_->finish();
}

StageControl ProgressLine::control() {
  StageControl control;
  if (!state_->quiet) {
    control.on_progress = [state = state_](const Progress& progress) { state->show(progress); };
  }
  control.stop = interrupt_token();
  return control;
}

}  // namespace cleave::cli
