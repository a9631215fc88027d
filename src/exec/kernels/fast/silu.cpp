#include "exec/kernels/fast/silu.h"

#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::fast {
namespace {

class SiluStep : public Step {
 public:
  SiluStep(SlotId place, std::int64_t count) : place_(place), count_(count) {}

  void run(const RunContext& context) override {
    auto* values = reinterpret_cast<float*>(context.at(place_));
    in_pieces(count_, sizeof(float), [&](std::int64_t first, std::int64_t count) {
      simd::kernels().f32.silu(values + first, count, values + first);
    });
  }
  std::string describe() const override { return "silu"; }

 private:
  SlotId place_;
  std::int64_t count_;
};

}  // namespace

void emit_silu(Compiler& compiler, graph::TensorId id) {
  const SlotId place = compiler.read(id, Layout::kChannelsLast);
  ScheduledStep step;
  step.reads.push_back(place);
  step.writes.push_back(place);
  step.step = std::make_unique<SiluStep>(place, element_count(compiler.shape(id)));
  compiler.emit(std::move(step));
}

}  // namespace cleave::exec::fast
