#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "exec/session.h"
#include "graph/model.h"

namespace cleave::exec::testing {

/// A network spelled in ONNX's text form, with named weights that are too long to spell.
class TextNetwork {
 public:
  /// `body`: "agraph (float[1,2] x) => (float[1,2] y) { y = Relu(x) }". Throws std::runtime_error when it is not well
  /// formed.
  explicit TextNetwork(const std::string& body, const std::map<std::string, Tensor>& weights = {}, int opset = 13);

  const std::string& bytes() const { return bytes_; }
  graph::Model model() const;
  /// Prepared for running: shapes that depend on the data are accepted.
  graph::Graph graph() const;

 private:
  std::string bytes_;
};

/// Runs the network here, with both kinds of kernels and each twice, and in ONNX Runtime; every output must have the
/// same type and shape, and the same values (floats within 1e-5 of the output's range).
void expect_like_onnx_runtime(const TextNetwork& network, const std::vector<std::map<std::string, Tensor>>& runs);

}  // namespace cleave::exec::testing
