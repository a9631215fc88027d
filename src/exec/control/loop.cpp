#include "exec/control/loop.h"

#include <limits>

#include "core/error.h"
#include "exec/control/values.h"

namespace cleave::exec {
namespace {

constexpr std::size_t kFirstCarried = 2;  // after trip count and condition; in the body: iteration and condition

std::size_t carried_count(const graph::Node& node) {
  if (node.inputs.size() >= kFirstCarried + node.captured) return node.inputs.size() - node.captured - kFirstCarried;
  throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': Loop needs a trip count and a condition");
}

std::int64_t trip_count(const Tensor& given) {
  if (given.empty()) return std::numeric_limits<std::int64_t>::max();
  if (given.dtype() == DType::kInt64 && given.elements() == 1) return given.data<std::int64_t>()[0];
  throw Error(ErrorKind::kInvalidInput, "the trip count is " + std::string(dtype_name(given.dtype())) + " " +
                                            shape_text(given.shape()) + ", not one int64");
}

}  // namespace

Loop::Loop(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options)
    : body_(graph, node, "body", options), carried_(carried_count(node)) {
  const bool fits = body_.formal_inputs() == kFirstCarried + carried_ && node.outputs.size() >= carried_ &&
                    body_.outputs() == 1 + node.outputs.size();
  if (fits) return;
  throw Error(ErrorKind::kInvalidInput,
              "node '" + node.name + "': its body must read iteration, condition and the " + std::to_string(carried_) +
                  " carried values, and make a condition and the " + std::to_string(node.outputs.size()) + " results");
}

std::vector<Tensor> Loop::formal_inputs(std::int64_t iteration, const std::vector<Tensor>& carried) const {
  std::vector<Tensor> formal{Tensor::scalar<std::int64_t>(iteration), Tensor::scalar<bool>(true)};
  formal.insert(formal.end(), carried.begin(), carried.end());
  return formal;
}

std::vector<Tensor> Loop::run(std::span<const Tensor> inputs) {
  const std::int64_t trips = trip_count(inputs[0]);
  bool going = inputs[1].empty() || condition_of(inputs[1], "the condition");
  const auto first = inputs.begin() + static_cast<std::ptrdiff_t>(kFirstCarried);
  std::vector<Tensor> carried(first, first + static_cast<std::ptrdiff_t>(carried_));
  std::vector<std::vector<Tensor>> scans(body_.outputs() - 1 - carried_);
  for (std::int64_t i = 0; going && i < trips; ++i) {
    std::vector<Tensor> made = body_.run(formal_inputs(i, carried), inputs);
    going = condition_of(made[0], "the condition that its body makes");
    for (std::size_t c = 0; c < carried_; ++c) carried[c] = std::move(made[1 + c]);
    for (std::size_t s = 0; s < scans.size(); ++s) scans[s].push_back(std::move(made[1 + carried_ + s]));
  }
  return results(std::move(carried), scans, inputs);
}

std::vector<Tensor> Loop::results(std::vector<Tensor> carried, const std::vector<std::vector<Tensor>>& scans,
                                  std::span<const Tensor> inputs) {
  std::vector<Tensor> like(scans.size());
  if (!scans.empty() && scans.front().empty()) {
    const std::vector<Tensor> made = body_.results_without_run(formal_inputs(0, carried), inputs);
    like.assign(made.begin() + static_cast<std::ptrdiff_t>(1 + carried_), made.end());
  }
  for (std::size_t s = 0; s < scans.size(); ++s) {
    carried.push_back(stacked(scans[s], 0, like[s], "scan output " + std::to_string(s)));
  }
  return carried;
}

}  // namespace cleave::exec
