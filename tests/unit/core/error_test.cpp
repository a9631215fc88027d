#include "core/error.h"

#include <gtest/gtest.h>

#include "core/check.h"

namespace cleave {
namespace {

TEST(Error, KeepsKindAndHintWhenContextIsAdded) {
  const Error inner(ErrorKind::kStale, "made from another model", "Calibrate again.");
  const Error outer = inner.within("plan.json");
  EXPECT_STREQ(outer.what(), "plan.json: made from another model");
  EXPECT_EQ(outer.kind(), ErrorKind::kStale);
  EXPECT_EQ(outer.hint(), "Calibrate again.");
}

TEST(Error, HasTheDocumentedExitCodes) {
  EXPECT_EQ(exit_code(ErrorKind::kUsage), 2);
  EXPECT_EQ(exit_code(ErrorKind::kInvalidInput), 3);
  EXPECT_EQ(exit_code(ErrorKind::kUnsupported), 4);
  EXPECT_EQ(exit_code(ErrorKind::kIo), 5);
  EXPECT_EQ(exit_code(ErrorKind::kStale), 6);
  EXPECT_EQ(exit_code(ErrorKind::kConstraint), 7);
  EXPECT_EQ(exit_code(ErrorKind::kOutOfTime), 8);
  EXPECT_EQ(exit_code(ErrorKind::kNetwork), 9);
  EXPECT_EQ(exit_code(ErrorKind::kMismatch), 10);
  EXPECT_EQ(exit_code(ErrorKind::kInterrupted), 130);
}

TEST(CheckDeathTest, AbortsWithThePlaceAndTheReasonInReleaseToo) {
  EXPECT_DEATH(CLEAVE_CHECK(1 > 2, "one is not above two"), "error_test.cpp:.*1 > 2.*one is not above two");
}

}  // namespace
}  // namespace cleave
