#include "exec/kernels/input_checks.h"

#include <algorithm>

namespace cleave::exec {
namespace {

bool fits(const Shape& shape, const Shape& wanted) {
  return std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(),
                    [](std::int64_t have, std::int64_t want) { return want < 0 || have == want; });
}

}  // namespace

Reason first_of(std::initializer_list<Reason> reasons) {
  const auto found = std::find_if(reasons.begin(), reasons.end(), [](const Reason& r) { return r.has_value(); });
  return found == reasons.end() ? std::nullopt : *found;
}

Reason wrong_type(const graph::TensorInfo& tensor) {
  return "element type " + std::string(dtype_name(tensor.dtype)) + " of '" + tensor.name + "' is not supported";
}

Reason wrong_shape(const graph::TensorInfo& tensor) {
  return "shape " + shape_text(tensor.shape) + " of '" + tensor.name + "' does not fit";
}

Reason check_word(const graph::Node& node, const std::string& key, const std::string& fallback,
                  std::initializer_list<std::string_view> known) {
  const std::string word = node.text(key, fallback);
  if (std::find(known.begin(), known.end(), word) != known.end()) return std::nullopt;
  return key + " '" + word + "' is not supported";
}

Reason check_inputs(const graph::Graph& graph, const graph::Node& node, const std::vector<Expected>& list) {
  for (const Expected& expected : list) {
    const graph::TensorId id = node.input(expected.input);
    if (id == graph::TensorId::kNone) continue;
    const graph::TensorInfo& tensor = graph.tensor(id);
    if (tensor.dtype != expected.dtype) return wrong_type(tensor);
    if (!fits(tensor.shape, expected.shape)) return wrong_shape(tensor);
  }
  return std::nullopt;
}

}  // namespace cleave::exec
