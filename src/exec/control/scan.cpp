#include "exec/control/scan.h"

#include <algorithm>

#include "core/error.h"
#include "exec/control/values.h"

namespace cleave::exec {
namespace {

std::size_t state_count(const graph::Node& node) {
  const auto own = static_cast<std::int64_t>(node.inputs.size() - node.captured);
  const std::int64_t scanned = node.integer("num_scan_inputs", 0);
  if (scanned >= 1 && scanned <= own) return static_cast<std::size_t>(own - scanned);
  throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': num_scan_inputs " + std::to_string(scanned) +
                                            " does not fit its " + std::to_string(own) + " inputs");
}

std::size_t axis_in(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  const std::int64_t counted = axis < 0 ? axis + signed_rank : axis;
  if (counted >= 0 && counted < signed_rank) return static_cast<std::size_t>(counted);
  throw Error(ErrorKind::kInvalidInput,
              "axis " + std::to_string(axis) + " is outside the " + std::to_string(rank) + " dimensions");
}

}  // namespace

Scan::Scan(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options)
    : body_(graph, node, "body", options), states_(state_count(node)) {
  const std::size_t own = node.inputs.size() - node.captured;
  if (body_.formal_inputs() != own || body_.outputs() != node.outputs.size() || node.outputs.size() < states_) {
    throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': its body must read " + std::to_string(own) +
                                              " tensors and make " + std::to_string(node.outputs.size()));
  }
  in_ = walks(node, "input", own - states_);
  out_ = walks(node, "output", node.outputs.size() - states_);
}

std::vector<Scan::Walk> Scan::walks(const graph::Node& node, const std::string& side, std::size_t count) {
  std::vector<std::int64_t> axes = node.integers("scan_" + side + "_axes");
  std::vector<std::int64_t> directions = node.integers("scan_" + side + "_directions");
  if (axes.empty()) axes.assign(count, 0);
  if (directions.empty()) directions.assign(count, 0);
  if (axes.size() != count || directions.size() != count) {
    throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': it has " + std::to_string(count) + " scan " +
                                              side + "s, but its axes or directions are for another number");
  }
  std::vector<Walk> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back({axes[i], directions[i] != 0});
  return result;
}

std::int64_t Scan::length_of(std::span<const Tensor> inputs) const {
  std::optional<std::int64_t> length;
  for (std::size_t i = 0; i < in_.size(); ++i) {
    const Shape& shape = inputs[states_ + i].shape();
    const std::int64_t here = shape[axis_in(in_[i].axis, shape.size())];
    if (length && *length != here) {
      throw Error(ErrorKind::kInvalidInput,
                  "its scan inputs have " + std::to_string(*length) + " and " + std::to_string(here) + " slices");
    }
    length = here;
  }
  return length.value_or(0);
}

std::vector<Tensor> Scan::slices(std::span<const Tensor> inputs, std::int64_t at, std::int64_t length) const {
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < in_.size(); ++i) {
    const Tensor& whole = inputs[states_ + i];
    const std::int64_t position = in_[i].backwards ? length - 1 - at : at;
    result.push_back(slice_at(whole, axis_in(in_[i].axis, whole.shape().size()), position));
  }
  return result;
}

std::vector<Tensor> Scan::run(std::span<const Tensor> inputs) {
  const std::int64_t length = length_of(inputs);
  if (length == 0) throw Error(ErrorKind::kInvalidInput, "there is nothing to scan: the scanned axis is empty");
  std::vector<Tensor> states(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(states_));
  std::vector<std::vector<Tensor>> scans(out_.size());
  for (std::int64_t t = 0; t < length; ++t) {
    std::vector<Tensor> formal = states;
    for (Tensor& slice : slices(inputs, t, length)) formal.push_back(std::move(slice));
    std::vector<Tensor> made = body_.run(std::move(formal), inputs);
    std::move(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(states_), states.begin());
    for (std::size_t s = 0; s < scans.size(); ++s) scans[s].push_back(std::move(made[states_ + s]));
  }
  return results(std::move(states), std::move(scans));
}

std::vector<Tensor> Scan::results(std::vector<Tensor> states, std::vector<std::vector<Tensor>> scans) const {
  for (std::size_t s = 0; s < scans.size(); ++s) {
    if (out_[s].backwards) std::reverse(scans[s].begin(), scans[s].end());
    const std::size_t axis = axis_in(out_[s].axis, scans[s].front().shape().size() + 1);
    states.push_back(stacked(scans[s], axis, scans[s].front(), "scan output " + std::to_string(s)));
  }
  return states;
}

}  // namespace cleave::exec
