#include "cli/interrupt.h"

#include <unistd.h>
#include <csignal>

#include <atomic>
#include <string_view>
#include <thread>

namespace cleave::cli {

namespace {

constexpr int kInterrupted = 130;
std::atomic<bool> token_taken{false};

std::stop_source& source() {
  static std::stop_source instance;
  return instance;
}

void say(std::string_view text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void wait_for_signals() {
  const sigset_t signals = stop_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (!token_taken || source().stop_requested()) {
      say("\ninterrupted\n");
      ::_exit(kInterrupted);
    }
    say("\ninterrupted: finishing what is under way (again to stop at once)\n");
    source().request_stop();
  }
}

}  // namespace

void listen_for_interrupts() {
  std::signal(SIGPIPE, SIG_IGN);
  source();
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for_signals).detach();
}

std::stop_token interrupt_token() {
  token_taken = true;
  return source().get_token();
}

}  // namespace cleave::cli
