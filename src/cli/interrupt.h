#pragma once

#include <stop_token>

namespace cleave::cli {

/// Starts listening for Ctrl-C and SIGTERM. Call once, before any other thread starts.
/// Without a stage that has taken interrupt_token(), a signal ends the process at once with 130; with one, the first
/// signal asks the stage to save and stop, the second ends the process.
void listen_for_interrupts();

/// Set when the user wants to stop; taking it promises to look at it.
std::stop_token interrupt_token();

}  // namespace cleave::cli
