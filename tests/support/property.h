#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace cleave::testing {

/// Fails the test when the property does not hold (rc::check itself only reports).
template <typename Property>
void expect_holds(const Property& property) {
  EXPECT_TRUE(rc::check(property));
}

}  // namespace cleave::testing
