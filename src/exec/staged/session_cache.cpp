#include "exec/staged/session_cache.h"

#include <algorithm>

#include "core/error.h"
#include "exec/staged/staged_session.h"
#include "graph/prepare.h"

namespace cleave::exec {
namespace {

void append(std::string& text, std::int64_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void require_one_stage(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) {
    for (const graph::TensorId id : node.outputs) {
      if (id == graph::TensorId::kNone || is_shaped(graph.tensor(id))) continue;
      throw Error(ErrorKind::kUnsupported, "the shape of '" + graph.tensor(id).name +
                                               "' is not known even when everything that it is made of is");
    }
  }
}

}  // namespace

SessionCache::SessionCache(graph::Graph pattern, const SessionOptions& options, std::vector<bool> by_value,
                           Stages stages)
    : pattern_(std::move(pattern)), options_(options), by_value_(std::move(by_value)), stages_(stages) {}

std::string SessionCache::signature(std::span<const Tensor> inputs) const {
  std::string text;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    append(text, static_cast<std::int64_t>(inputs[i].dtype()));
    append(text, static_cast<std::int64_t>(inputs[i].shape().size()));
    for (const std::int64_t dimension : inputs[i].shape()) append(text, dimension);
    if (is_by_value(i)) text.append(reinterpret_cast<const char*>(inputs[i].raw().data()), inputs[i].bytes());
  }
  return text;
}

std::unique_ptr<Session> SessionCache::compiled(std::span<const Tensor> inputs) const {
  std::vector<graph::InputFacts> facts;
  std::vector<Tensor> values;  // copies: the caller may reuse the bytes of its inputs
  values.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    facts.push_back({inputs[i].dtype(), inputs[i].shape(), nullptr});
    if (!is_by_value(i)) continue;
    values.push_back(inputs[i].clone());
    facts.back().value = &values.back();
  }
  graph::Graph graph = graph::specialize(pattern_, facts);
  if (stages_ == Stages::kOne) require_one_stage(graph);
  return std::make_unique<Session>(std::move(graph), options_);
}

void SessionCache::make_room() {
  if (sessions_.size() < kMostSessions) return;
  sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                   [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
}

Session& SessionCache::session_for(std::span<const Tensor> inputs) {
  const std::string key = signature(inputs);
  auto found = sessions_.find(key);
  if (found == sessions_.end()) {
    make_room();
    found = sessions_.emplace(key, Entry{compiled(inputs), 0}).first;
  }
  found->second.last_use = ++uses_;
  return *found->second.session;
}

std::vector<Tensor> SessionCache::open_inputs(std::span<const Tensor> inputs) const {
  std::vector<Tensor> open;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!is_by_value(i)) open.push_back(inputs[i]);
  }
  return open;
}

std::vector<Tensor> SessionCache::run(std::span<const Tensor> inputs) {
  return session_for(inputs).run(open_inputs(inputs));
}

}  // namespace cleave::exec
