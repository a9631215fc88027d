#include "exec/operators_page.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/file.h"
#include "support/shared.h"

namespace cleave::exec {
namespace {

TEST(OperatorsPage, IsWhatTheOperatorTableSays) {
  const auto page = testing::source_dir() / "docs/operators.md";
  if (std::getenv("CLEAVE_WRITE_PAGES") != nullptr) write_file_atomically(page, operators_page());
  EXPECT_EQ(read_file(page), operators_page()) << "CLEAVE_WRITE_PAGES=1 in the environment writes the page again";
}

}  // namespace
}  // namespace cleave::exec
