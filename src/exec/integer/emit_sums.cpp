#include "exec/integer/emit_sums.h"

#include <algorithm>
#include <array>
#include <limits>

#include "exec/integer/steps.h"
#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::integer {
namespace {

using graph::TensorId;

/// The function that codes stand behind, when it can be computed apart.
const Activation* function_of(const Epilogue& epilogue) {
  if (!epilogue.makes_codes() || epilogue.functions.size() != 1) return nullptr;
  const Activation& a = epilogue.functions[0].activation;
  return a.function == Function::kLeakyRelu || a.function == Function::kSilu ? &a : nullptr;
}

/// Codes of f(x); f(x) itself stays in the nearest cache.
class FunctionStep : public Step {
 public:
  FunctionStep(const Activation& function, const CodeGrid& grid, const Run& run)
      : function_(function), grid_(grid), run_(run) {}

  void run(const RunContext& context) override {
    if (grid_.dtype == DType::kInt8) return run_to(context, reinterpret_cast<std::int8_t*>(context.at(run_.to)));
    run_to(context, reinterpret_cast<std::uint8_t*>(context.at(run_.to)));
  }

 private:
  template <typename Code>
  void run_to(const RunContext& context, Code* codes) const {
    const auto* x = reinterpret_cast<const float*>(context.at(run_.from));
    const auto& kernels = simd::code_kernels<Code>(simd::kernels());
    in_pieces(run_.count, sizeof(float), [&](std::int64_t begin, std::int64_t count) {
      std::array<float, 1024> values;
      constexpr auto kRoom = static_cast<std::int64_t>(std::tuple_size_v<decltype(values)>);
      for (std::int64_t i = begin; i < begin + count; i += kRoom) {
        const std::int64_t n = std::min(kRoom, begin + count - i);
        apply(x + i, n, values.data());
        kernels.quantize(values.data(), n, grid_.scale, {grid_.zero_point, grid_.low, grid_.high}, codes + i);
      }
    });
  }

  void apply(const float* x, std::int64_t n, float* y) const {
    const simd::FloatKernels& kernels = simd::kernels().f32;
    function_.function == Function::kSilu ? kernels.silu(x, n, y) : kernels.prelu(x, n, function_.alpha, y);
  }

  Activation function_;
  CodeGrid grid_;
  Run run_;
};

/// The epilogue that stores the sums as floats.
Epilogue storing_floats(const Sums& sums) {
  Epilogue epilogue;
  epilogue.scales = sum_scales_of(sums.source.grid, sums.weights);
  epilogue.low = -std::numeric_limits<float>::infinity();
  epilogue.high = std::numeric_limits<float>::infinity();
  return epilogue;
}

CodeGrid grid_of(const Epilogue& epilogue) {
  return {epilogue.dtype, epilogue.code_scale, epilogue.zero_point, static_cast<std::int32_t>(epilogue.low),
          static_cast<std::int32_t>(epilogue.high)};
}

bool emit_apart(Compiler& compiler, const Sums& sums, const Activation& function, const SumEmitter& emit) {
  const TensorId floats = compiler.add_tensor(DType::kFloat32, compiler.shape(sums.result));
  if (!emit(storing_floats(sums), floats)) return false;
  const SlotId from = compiler.read(floats, sums.layout);
  const SlotId to = compiler.write(sums.result, sums.layout);
  const Run run{from, to, element_count(compiler.shape(sums.result))};
  auto step = std::make_unique<FunctionStep>(function, grid_of(sums.epilogue), run);
  compiler.emit({std::move(step), {from}, {to}, SlotId::kNone, 0, {}});
  return true;
}

}  // namespace

bool emit_sums(Compiler& compiler, const Sums& sums, const SumEmitter& by_dnnl, const SumEmitter& by_own) {
  const bool exact = sums_are_exact(sums.source.grid.dtype, sums.weights);
  const SumEmitter plainly = [&](const Epilogue& epilogue, TensorId result) {
    return (exact && by_dnnl(epilogue, result)) || by_own(epilogue, result);
  };
  const Activation* function = function_of(sums.epilogue);
  // oneDNN's SiLU takes longer than the pass that it saves; its LeakyRelu is two instructions.
  const bool at_once = function == nullptr || (exact && function->function != Function::kSilu);
  if (at_once && plainly(sums.epilogue, sums.result)) return true;
  return function != nullptr && emit_apart(compiler, sums, *function, plainly);
}

}  // namespace cleave::exec::integer
