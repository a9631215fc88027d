#pragma once

/// CodeWriter where packing does not saturate across a whole vector.

namespace cleave::exec::simd {
namespace {

class CodeWriter {
 public:
  CodeWriter(int32_t zero_point, int32_t low, int32_t high)
      : lowest_(splat(static_cast<float>(low - zero_point))),
        highest_(splat(static_cast<float>(high - zero_point))),
        zero_point_(splat(zero_point)) {}

  template <typename Code>
  void two(Code* p, Float a, Float b) const {
    store_two(p, code(a), code(b));
  }
  template <typename Code>
  void four(Code* p, Code* q, Float a, Float b, Float c, Float d) const {
    two(p, a, b);
    two(q, c, d);
  }

 private:
  Int code(Float x) const { return round(min(max(x, lowest_), highest_)) + zero_point_; }

  Float lowest_;
  Float highest_;
  Int zero_point_;
};

}  // namespace
}  // namespace cleave::exec::simd
