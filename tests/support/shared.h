#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace cleave::testing {

/// The folder of real networks, images and golden numbers (CMake cache entry CLEAVE_SHARED).
std::filesystem::path shared_dir();
bool has_shared();
/// The source tree.
std::filesystem::path source_dir();

}  // namespace cleave::testing

/// Skips the test, with the reason, where the shared folder is absent.
#define CLEAVE_NEEDS_SHARED()                                                                                \
  if (!::cleave::testing::has_shared())                                                                      \
  GTEST_SKIP() << "needs the shared data folder (CMake: CLEAVE_SHARED), " << ::cleave::testing::shared_dir() \
               << " is absent"
