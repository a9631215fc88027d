#include "exec/integer/own_convolution.h"

#include <omp.h>

#include "core/fingerprint.h"
#include "exec/weight_store.h"

namespace cleave::exec::integer {
namespace {

class OwnConvolutionStep : public Step {
 public:
  OwnConvolutionStep(std::unique_ptr<int8::Convolution> work, SlotId from, SlotId to)
      : work_(std::move(work)), from_(from), to_(to) {}
  void run(const RunContext& context) override { work_->run(context.at(from_), context.at(to_), context.scratch); }
  std::string describe() const override { return "own int8"; }

 private:
  std::unique_ptr<int8::Convolution> work_;
  SlotId from_;
  SlotId to_;
};

simd::SumOutput output_type(DType dtype) {
  if (dtype == DType::kFloat32) return simd::SumOutput::kFloat;
  return dtype == DType::kInt8 ? simd::SumOutput::kInt8 : simd::SumOutput::kUint8;
}

int8::Epilogue own_epilogue(const Epilogue& epilogue, const Tensor& bias, std::int64_t channels) {
  int8::Epilogue own;
  own.type = output_type(epilogue.dtype);
  if (bias.dtype() == DType::kInt32)
    own.bias.assign(bias.data<std::int32_t>().begin(), bias.data<std::int32_t>().end());
  if (bias.dtype() == DType::kFloat32) own.shifts.assign(bias.data<float>().begin(), bias.data<float>().end());
  own.scales = epilogue.scales;
  if (own.scales.size() == 1) own.scales.assign(static_cast<std::size_t>(channels), epilogue.scales[0]);
  own.zero_point = epilogue.zero_point;
  own.low = epilogue.low;
  own.high = epilogue.high;
  return own;
}

/// Shares packed weights with all sessions of the process.
int8::WeightKeeper sharing(const std::vector<std::int16_t>& codes) {
  return [&codes](const std::string& packing, const int8::WeightPacker& pack) {
    const std::string content = Hasher().add(std::as_bytes(std::span(codes))).hex();
    return shared_weights().find_or_make<int8::PackedWeights>("own int8 " + packing + content, pack);
  };
}

}  // namespace

bool emit_own_convolution(Compiler& compiler, const int8::ConvolutionShape& shape, const OwnConvolution& call) {
  if (!call.epilogue.only_clamps) return false;
  const CodeGrid& grid = call.source.grid;
  const std::vector<std::int32_t> no_sums(static_cast<std::size_t>(shape.out_channels), 0);
  const Tensor bias = bias_of_sums(compiler, call.bias, grid.scale, call.weights, 0, no_sums);
  const int8::Source source{grid.dtype == DType::kInt8, grid.zero_point};
  auto work = int8::make_convolution(shape, source, call.codes, own_epilogue(call.epilogue, bias, shape.out_channels),
                                     omp_get_max_threads(), simd::best_isa(), sharing(call.codes));
  ScheduledStep step;
  step.reads = {compiler.read(call.source.codes, call.layout)};
  step.writes = {compiler.write(call.result, call.layout)};
  step.scratch_bytes = work->scratch_bytes();
  step.step = std::make_unique<OwnConvolutionStep>(std::move(work), step.reads[0], step.writes[0]);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace cleave::exec::integer
