#include <utility>

#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/isa.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::fast {
namespace {

using graph::Node;
using graph::TensorId;

/// y = f(x) for a run of floats, `f` a kernel of simd::FloatKernels with its parameters.
template <typename RoundRun>
class RoundingStep : public Step {
 public:
  RoundingStep(RoundRun round, std::string name, SlotId from, SlotId to, std::int64_t count)
      : round_(std::move(round)), name_(std::move(name)), from_(from), to_(to), count_(count) {}

  void run(const RunContext& context) override {
    const auto* x = reinterpret_cast<const float*>(context.at(from_));
    auto* y = reinterpret_cast<float*>(context.at(to_));
    in_pieces(count_, sizeof(float),
              [&](std::int64_t first, std::int64_t count) { round_(x + first, count, y + first); });
  }
  std::string describe() const override { return name_ + ":" + simd::name_of(simd::best_isa()); }

 private:
  RoundRun round_;
  std::string name_;
  SlotId from_;
  SlotId to_;
  std::int64_t count_;
};

template <typename RoundRun>
void emit_rounding(Compiler& compiler, const Group& group, RoundRun round, const std::string& name) {
  const TensorId from = group.node(compiler.graph()).inputs[0];
  const TensorId to = group.result(compiler.graph());
  const Layout layout = compiler.layout_at_hand(from);
  ScheduledStep step;
  step.reads.push_back(compiler.read(from, layout));
  step.writes.push_back(compiler.write(to, layout));
  step.may_overwrite = step.reads[0];
  step.step = std::make_unique<RoundingStep<RoundRun>>(std::move(round), name, step.reads[0], step.writes[0],
                                                       element_count(compiler.shape(from)));
  compiler.emit(std::move(step));
}

bool is_rounding(const Group& group) {
  return group.followers.size() == 1 && group.followers[0].kind == Follower::Kind::kRounding;
}

}  // namespace

bool lower_half_rounding(Compiler& compiler, const Group& group) {
  if (!is_rounding(group)) return false;
  const auto round = [](const float* x, std::int64_t n, float* y) { simd::kernels().f32.round_to_half(x, n, y); };
  emit_rounding(compiler, group, round, "round_to_float16");
  return true;
}

bool lower_division(Compiler& compiler, const Group& group) {
  if (!is_rounding(group)) return lower_binary(compiler, group);
  const auto scalar = [&](TensorId id) { return compiler.constant(id)->data<float>()[0]; };
  const Node& clip = compiler.node(group.followers[0].nodes[1]);
  const float step = scalar(group.node(compiler.graph()).inputs[1]);
  const float low = scalar(clip.inputs[1]);
  const float high = scalar(clip.inputs[2]);
  const auto round = [=](const float* x, std::int64_t n, float* y) {
    simd::kernels().f32.round_to_steps(x, n, step, low, high, y);
  };
  emit_rounding(compiler, group, round, "round_to_steps");
  return true;
}

}  // namespace cleave::exec::fast
