#include "exec/kernels/fast/winograd.h"

#include <omp.h>

#include <limits>

#include "exec/kernels/fast/winograd_step.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;
using graph::TensorId;
using simd::Bounds;

std::optional<Bounds> bounds_of(const Activation& activation) {
  if (activation.function == Function::kRelu) return Bounds{true, 0, std::numeric_limits<float>::max()};
  if (activation.function == Function::kClip) return Bounds{true, activation.alpha, activation.beta};
  return std::nullopt;
}

/// The followers as bounds around one sum, if that is what they are.
std::optional<WinogradFinish> finish_of(const std::vector<Follower>& followers) {
  WinogradFinish finish;
  for (const Follower& follower : followers) {
    Bounds& bounds = finish.addend == TensorId::kNone ? finish.first : finish.last;
    if (follower.kind == Follower::Kind::kSum && finish.addend == TensorId::kNone) {
      finish.addend = follower.addend;
    } else if (follower.kind == Follower::Kind::kActivation && !bounds.clamps) {
      const auto found = bounds_of(follower.activation);
      if (!found) return std::nullopt;
      bounds = *found;
    } else {
      return std::nullopt;
    }
  }
  return finish;
}

bool is_3x3_of_stride_1(const Window& w, const Node& node) {
  if (w.spatial_rank != 2 || node.integer("group", 1) != 1) return false;
  for (std::size_t i = 1; i < 3; ++i) {
    if (w.kernel[i] != 3 || w.stride[i] != 1 || w.dilation[i] != 1 || w.pad_begin[i] < 0) return false;
  }
  return true;
}

WinogradProblem problem_of(const Window& w, const Shape& in, const Shape& out) {
  const std::int64_t lanes = simd::kernels().product.lanes;
  return {in[0],          in[1],         out[1],      ceil_div(out[1], lanes) * lanes,
          w.input[1],     w.input[2],    w.output[1], w.output[2],
          w.pad_begin[1], w.pad_begin[2]};
}

/// Compares multiply-adds, the transforms and the larger weights counted as such.
bool promises_to_be_faster(const WinogradProblem& p) {
  constexpr std::int64_t kTransform = 130;        // per tile and channel; measured
  constexpr std::int64_t kStream = 16;            // per weight: 4 bytes at 15 GB/s against 60 G multiply-adds/s
  constexpr std::int64_t kMostWeights = 4 << 20;  // four times the memory of the given ones: 16 MiB at most
  if (p.in_channels < 8 || p.out_channels < 8 || p.weights() > kMostWeights) return false;
  const std::int64_t direct = p.images * p.out_rows * p.out_columns * 9 * p.in_channels * p.out_channels;
  const std::int64_t products = p.tiles() * kWinogradPositions * p.in_channels * p.padded;
  const std::int64_t transforms = p.tiles() * kTransform * (p.in_channels + p.out_channels);
  const std::int64_t stream = (kWinogradPositions - 9) * kStream * p.in_channels * p.out_channels;
  return 10 * (products + transforms + stream) < 8 * direct;
}

}  // namespace

bool lower_winograd(Compiler& compiler, const Group& group, const std::vector<Follower>& followers,
                    const Window& window) {
  const Node& node = group.node(compiler.graph());
  const auto finish = finish_of(followers);
  if (!finish || !is_3x3_of_stride_1(window, node)) return false;
  const WinogradProblem problem = problem_of(window, compiler.shape(node.inputs[0]), compiler.shape(node.outputs[0]));
  if (!promises_to_be_faster(problem)) return false;
  ScheduledStep step;
  const SlotId source = compiler.read(node.inputs[0], Layout::kChannelsLast);
  step.reads.push_back(source);
  if (finish->addend != TensorId::kNone) {
    step.may_overwrite = compiler.read(finish->addend, Layout::kChannelsLast);
    step.reads.push_back(step.may_overwrite);
  }
  step.writes.push_back(compiler.write(group.result(compiler.graph()), Layout::kChannelsLast));
  std::vector<float> bias;
  if (node.input(2) != TensorId::kNone) {
    const auto values = compiler.constant(node.input(2))->data<float>();
    bias.assign(values.begin(), values.end());
  }
  auto filters = winograd_filters(problem, *compiler.constant(node.inputs[1]));
  auto work =
      std::make_unique<WinogradStep>(problem, *finish, std::move(filters), std::move(bias), omp_get_max_threads());
  work->place(source, step.may_overwrite, step.writes[0]);
  step.scratch_bytes = work->scratch_bytes();
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace cleave::exec::fast
