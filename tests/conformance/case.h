#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace cleave::conformance {

/// One model of ONNX's conformance data, with the values it must turn into each other.
struct Case {
  std::string folder;  ///< "node", "simple", ...
  std::string name;    ///< "test_abs"
  std::filesystem::path path;

  std::string label() const { return folder + "/" + name; }
  std::filesystem::path model() const { return path / "model.onnx"; }
};

/// gtest prints a parameter through this.
std::ostream& operator<<(std::ostream& out, const Case& c);

/// Inputs and expected outputs, in the order of the model's.
struct DataSet {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

/// False where the conformance data is not installed.
bool has_cases();
/// Why not.
std::string why_no_cases();

/// The cases of one folder that hold a model, by name. One case without a path where the data is absent, so that the
/// test can say that it was skipped.
std::vector<Case> cases_of(const std::string& folder);

/// test_data_set_0, test_data_set_1, ...
/// Throws Error(kUnsupported) for a value that is no tensor of a type that cleave holds.
std::vector<DataSet> data_sets(const Case& c);

}  // namespace cleave::conformance
