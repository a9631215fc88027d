#include "core/text.h"

#include <gtest/gtest.h>

namespace cleave {
namespace {

const std::vector<std::string> kWords{"calibrate", "search", "solve"};

TEST(ClosestMatch, FindsATypingError) {
  EXPECT_EQ(closest_match("calibrat", kWords), "calibrate");
  EXPECT_EQ(closest_match("serch", kWords), "search");
}

TEST(ClosestMatch, KeepsQuietWhenNothingIsNear) {
  EXPECT_EQ(closest_match("export", kWords), std::nullopt);
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1 000");
  EXPECT_EQ(grouped(-1234567), "-1 234 567");
}

TEST(ParseInteger, TakesOnlyAWholeNumberInRange) {
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_integer("12x"), std::nullopt);
  EXPECT_EQ(parse_integer(""), std::nullopt);
  EXPECT_EQ(parse_integer("99999999999999999999"), std::nullopt);
}

TEST(SplitText, KeepsEmptyParts) {
  EXPECT_EQ(split_text("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split_text("", ','), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace cleave
