#pragma once

#include <filesystem>
#include <string>

#include "tune/tune.h"

namespace cleave::tune {

/// cleave.tuning/1: where a joint search stands, and a fingerprint of what it is a search of (network, bits, samples,
/// steps), so that it is not taken up for something else.
void save_progress(const std::filesystem::path& path, const JointProgress& progress, const std::string& identity);

/// Throws Error(kStale) when the identity is another, Error(kIo | kInvalidInput).
JointProgress load_progress(const std::filesystem::path& path, const std::string& identity);

}  // namespace cleave::tune
