#pragma once

#include <array>
#include <cstdint>

#include "exec/integer/codes.h"
#include "exec/step.h"

namespace cleave::exec {

class Compiler;

/// A run of elements that lie densely in one slot and go to another, in the order in which they lie.
struct Run {
  SlotId from = SlotId::kNone;
  SlotId to = SlotId::kNone;
  std::int64_t count = 0;
};

/// Codes of floats.
class QuantizeStep : public Step {
 public:
  QuantizeStep(const CodeGrid& grid, const Run& run) : grid_(grid), run_(run) {}
  void run(const RunContext& context) override;

 private:
  CodeGrid grid_;
  Run run_;
};

/// Values of codes.
class DequantizeStep : public Step {
 public:
  DequantizeStep(const CodeGrid& grid, const Run& run) : grid_(grid), run_(run) {}
  void run(const RunContext& context) override;

 private:
  CodeGrid grid_;
  Run run_;
};

/// A code for every code; both are bit patterns.
using CodeTable = std::array<std::uint8_t, 256>;

/// Looks every code up in a table; may run in place.
class TableStep : public Step {
 public:
  TableStep(const CodeTable& table, const Run& run) : table_(table), run_(run) {}
  void run(const RunContext& context) override;

 private:
  CodeTable table_;
  Run run_;
};

/// table[code of x] = code of f(x) for every code of `from`.
template <typename Function>
CodeTable code_table(const CodeGrid& from, const CodeGrid& to, Function&& f) {
  CodeTable table{};
  const std::int32_t first = from.dtype == DType::kInt8 ? -128 : 0;
  for (std::int32_t code = first; code < first + 256; ++code) {
    table[static_cast<std::uint8_t>(code)] = static_cast<std::uint8_t>(to.code(f(from.value(code))));
  }
  return table;
}

/// Emits what turns codes of one grid into codes of another: nothing, when they are the same.
void requantize(Compiler& compiler, const CodedTensor& from, const CodedTensor& to);

}  // namespace cleave::exec
