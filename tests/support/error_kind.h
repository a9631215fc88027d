#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"

namespace cleave::testing {

/// The kind of the Error that `action` throws; a test failure when it throws none.
inline ErrorKind kind_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kUsage;
}

}  // namespace cleave::testing
