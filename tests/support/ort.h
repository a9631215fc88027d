#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "core/tensor.h"

namespace cleave::testing {

/// True when node and the npm package onnxruntime-node are there (test.sh installs it).
bool has_ort();

/// Runs an ONNX file in ONNX Runtime (CPU, one thread). Inputs and outputs by name.
/// optimization: "disabled" (fake-quantized float semantics) | "basic" | "extended" | "all".
/// Throws std::runtime_error with what the runtime printed when it fails.
std::map<std::string, Tensor> ort_run(const std::filesystem::path& model, const std::map<std::string, Tensor>& inputs,
                                      const std::string& optimization = "disabled");

}  // namespace cleave::testing

/// Skips the test, with the reason, where ONNX Runtime is absent.
#define CLEAVE_NEEDS_ORT()                                                      \
  if (!::cleave::testing::has_ort())                                            \
  GTEST_SKIP() << "needs node and the npm package onnxruntime-node; ./test.sh " \
               << "installs it"
