#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "core/file.h"
#include "support/shared.h"
#include "tune/steps.h"

namespace cleave::tune {
namespace {

TEST(TuningPage, ListsTheStepsInOrderWithTheirDefaults) {
  const std::string page = read_file(testing::source_dir() / "docs/quantization.md");
  const std::regex row("\\n\\| `([a-z]+)` \\| (on|off) \\|");
  std::vector<std::string> listed;
  for (auto i = std::sregex_iterator(page.begin(), page.end(), row); i != std::sregex_iterator(); ++i) {
    listed.push_back((*i)[1].str() + " " + (*i)[2].str());
  }
  std::vector<std::string> steps;
  for (const StepRow& step : tuning_steps())
    steps.push_back(std::string(step.name) + (step.by_default ? " on" : " off"));
  EXPECT_EQ(listed, steps) << "the table of 'Tuning' in docs/quantization.md";
}

}  // namespace
}  // namespace cleave::tune
