#include "graph/graph.h"

#include <algorithm>
#include <type_traits>

#include "core/error.h"
#include "core/fingerprint.h"

namespace cleave::graph {

namespace {

template <typename T>
const T* typed(const Node& node, const std::string& key) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': attribute '" + key + "' has the wrong type");
  }
  return value;
}

void add_tensor(Hasher& hasher, const Tensor& tensor) {
  hasher.add_number(static_cast<std::int64_t>(tensor.dtype()))
      .add_number(static_cast<std::int64_t>(tensor.shape().size()));
  for (const std::int64_t dimension : tensor.shape()) hasher.add_number(dimension);
  hasher.add(tensor.raw());
}

template <typename T>
void add_list(Hasher& hasher, const std::vector<T>& values) {
  hasher.add_number(static_cast<std::int64_t>(values.size()));
  hasher.add(std::as_bytes(std::span(values)));
}

void add_attribute(Hasher& hasher, const AttributeValue& value) {
  hasher.add_number(static_cast<std::int64_t>(value.index()));
  std::visit(
      [&hasher](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::int64_t>) hasher.add_number(held);
        if constexpr (std::is_same_v<T, float>) hasher.add(std::as_bytes(std::span(&held, 1)));
        if constexpr (std::is_same_v<T, std::string>) hasher.add_text(held);
        if constexpr (std::is_same_v<T, Tensor>) add_tensor(hasher, held);
        if constexpr (std::is_same_v<T, std::vector<std::int64_t>> || std::is_same_v<T, std::vector<float>>) {
          add_list(hasher, held);
        }
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          for (const std::string& text : held) hasher.add_text(text);
        }
        if constexpr (std::is_same_v<T, std::shared_ptr<const Graph>>) hasher.add_text(held->fingerprint());
      },
      value);
}

void add_ids(Hasher& hasher, std::span<const TensorId> ids, const Graph& graph) {
  hasher.add_number(static_cast<std::int64_t>(ids.size()));
  for (const TensorId id : ids) hasher.add_text(id == TensorId::kNone ? "" : graph.tensor(id).name);
}

}  // namespace

std::int64_t Node::integer(const std::string& key, std::int64_t fallback) const {
  const auto* value = typed<std::int64_t>(*this, key);
  return value == nullptr ? fallback : *value;
}

float Node::number(const std::string& key, float fallback) const {
  const auto* value = typed<float>(*this, key);
  return value == nullptr ? fallback : *value;
}

std::string Node::text(const std::string& key, const std::string& fallback) const {
  const auto* value = typed<std::string>(*this, key);
  return value == nullptr ? fallback : *value;
}

std::vector<std::int64_t> Node::integers(const std::string& key, std::vector<std::int64_t> fallback) const {
  const auto* value = typed<std::vector<std::int64_t>>(*this, key);
  return value == nullptr ? fallback : *value;
}

const Graph& Node::subgraph(const std::string& key) const {
  const auto* value = typed<std::shared_ptr<const Graph>>(*this, key);
  if (value == nullptr) {
    throw Error(ErrorKind::kInvalidInput, "node '" + name + "': the subgraph '" + key + "' is missing");
  }
  return **value;
}

bool Node::has_subgraph() const {
  return std::any_of(attributes.begin(), attributes.end(), [](const auto& attribute) {
    return std::holds_alternative<std::shared_ptr<const Graph>>(attribute.second);
  });
}

std::optional<TensorId> Graph::find(std::string_view tensor_name) const {
  const auto found = by_name_.find(std::string(tensor_name));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

const Tensor* Graph::constant(TensorId id) const {
  const auto found = constants_.find(id);
  return found == constants_.end() ? nullptr : &found->second;
}

std::optional<NodeId> Graph::producer(TensorId id) const {
  return producers_[index(id)];
}

bool Graph::is_output(TensorId id) const {
  return std::find(outputs_.begin(), outputs_.end(), id) != outputs_.end();
}

bool Graph::is_input(TensorId id) const {
  return std::find(inputs_.begin(), inputs_.end(), id) != inputs_.end();
}

bool Graph::fully_shaped() const {
  return std::all_of(tensors_.begin(), tensors_.end(), [](const TensorInfo& info) {
    return info.ranked && info.dtype != DType::kUndefined &&
           std::all_of(info.shape.begin(), info.shape.end(), [](std::int64_t d) { return d >= 0; });
  });
}

std::string Graph::fingerprint() const {
  Hasher hasher;
  hasher.add_number(opset_);
  add_ids(hasher, inputs_, *this);
  add_ids(hasher, outputs_, *this);
  for (const Node& node : nodes_) {
    hasher.add_text(node.domain).add_text(node.op);
    add_ids(hasher, node.inputs, *this);
    add_ids(hasher, node.outputs, *this);
    for (const auto& [key, value] : node.attributes) {
      hasher.add_text(key);
      add_attribute(hasher, value);
    }
  }
  std::map<std::string, const Tensor*> constants;
  for (const auto& [id, tensor] : constants_) constants[tensors_[index(id)].name] = &tensor;
  for (const auto& [constant_name, tensor] : constants) {
    hasher.add_text(constant_name);
    add_tensor(hasher, *tensor);
  }
  for (const TensorId id : inputs_) {
    for (const std::int64_t dimension : tensors_[index(id)].shape) hasher.add_number(dimension);
  }
  return hasher.hex();
}

}  // namespace cleave::graph
