#pragma once

#include <cstdint>

#include "exec/integer/codes.h"
#include "exec/step.h"

namespace cleave::exec {

/// Codes of a + b, a - b or a * b for the values of two code tensors of one element type, as DequantizeLinear, the
/// operator and QuantizeLinear give them. May run in place of a.
///
/// a is images x rows x width codes; b is read from image * b_image_stride on and repeats for every row.
struct CodeBinary {
  enum class Function { kAdd, kSubtract, kMultiply };
  Function function = Function::kAdd;
  CodeGrid a;
  CodeGrid b;
  CodeGrid to;
  std::int64_t images = 1;
  std::int64_t rows = 1;
  std::int64_t width = 0;
  std::int64_t b_image_stride = 0;
};

class CodeBinaryStep : public Step {
 public:
  CodeBinaryStep(const CodeBinary& call, SlotId a, SlotId b, SlotId to) : call_(call), a_(a), b_(b), to_(to) {}
  void run(const RunContext& context) override;

 private:
  template <typename Code>
  void run_codes(const RunContext& context) const;

  CodeBinary call_;
  SlotId a_;
  SlotId b_;
  SlotId to_;
};

}  // namespace cleave::exec
