#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/file.h"
#include "core/text.h"
#include "exec/session.h"
#include "support/shared.h"

namespace cleave::exec {
namespace {

/// The words in backquotes below the page's heading "## Operators".
std::vector<std::string> listed_operators() {
  const std::string page = read_file(testing::source_dir() / "docs/operators.md");
  const std::vector<std::string> parts = split_text(page.substr(page.find("## Operators")), '`');
  std::vector<std::string> names;
  for (std::size_t i = 1; i < parts.size(); i += 2) names.push_back(parts[i]);
  return names;
}

TEST(OperatorsPage, ListsExactlyTheSupportedOperators) {
  EXPECT_EQ(listed_operators(), supported_operators());
}

}  // namespace
}  // namespace cleave::exec
