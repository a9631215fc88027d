#include "exec/integer/steps.h"

#include <type_traits>

#include "exec/compiler.h"
#include "exec/kernels/pieces.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec {
void QuantizeStep::run(const RunContext& context) {
  const auto* x = reinterpret_cast<const float*>(context.at(run_.from));
  const auto quantize = [&](auto* codes) {
    const auto& kernels = simd::code_kernels<std::remove_pointer_t<decltype(codes)>>(simd::kernels());
    in_pieces(run_.count, 1, [&](std::int64_t begin, std::int64_t count) {
      kernels.quantize(x + begin, count, grid_.scale, {grid_.zero_point, grid_.low, grid_.high}, codes + begin);
    });
  };
  if (grid_.dtype == DType::kInt8) return quantize(reinterpret_cast<std::int8_t*>(context.at(run_.to)));
  quantize(reinterpret_cast<std::uint8_t*>(context.at(run_.to)));
}

void DequantizeStep::run(const RunContext& context) {
  auto* y = reinterpret_cast<float*>(context.at(run_.to));
  const auto dequantize = [&](const auto* codes) {
    using Code = std::remove_cv_t<std::remove_pointer_t<decltype(codes)>>;
    const auto& kernels = simd::code_kernels<Code>(simd::kernels());
    in_pieces(run_.count, 1, [&](std::int64_t begin, std::int64_t count) {
      kernels.dequantize(codes + begin, count, grid_.scale, grid_.zero_point, y + begin);
    });
  };
  if (grid_.dtype == DType::kInt8) return dequantize(reinterpret_cast<const std::int8_t*>(context.at(run_.from)));
  dequantize(reinterpret_cast<const std::uint8_t*>(context.at(run_.from)));
}

void TableStep::run(const RunContext& context) {
  const auto* x = reinterpret_cast<const std::uint8_t*>(context.at(run_.from));
  auto* y = reinterpret_cast<std::uint8_t*>(context.at(run_.to));
  in_pieces(run_.count, 1, [&](std::int64_t begin, std::int64_t count) {
    simd::kernels().lookup(x + begin, count, table_.data(), y + begin);
  });
}

void requantize(Compiler& compiler, const CodedTensor& from, const CodedTensor& to) {
  const Layout layout = compiler.layout_at_hand(from.codes);
  const SlotId source = compiler.read(from.codes, layout);
  if (to.grid.holds(from.grid)) return compiler.alias(to.codes, layout, source);
  const SlotId target = compiler.write(to.codes, layout);
  const Run run{source, target, element_count(compiler.shape(to.codes))};
  const CodeTable table = code_table(from.grid, to.grid, [](float x) { return x; });
  compiler.emit({std::make_unique<TableStep>(table, run), {source}, {target}, source, 0, {}});
}

}  // namespace cleave::exec
