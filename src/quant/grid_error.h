#pragma once

#include <cstdint>
#include <vector>

#include "quant/histogram.h"

namespace cleave::quant {

/// Codes on either side of zero: the grid is {-negative..positive} * step.
struct CodeLevels {
  std::int32_t negative = 0;
  std::int32_t positive = 0;
};

/// The values on one side of zero by magnitude, ascending, and the sums over all from element i on.
struct HalfLine {
  std::vector<double> magnitude;
  std::vector<double> weight;
  std::vector<double> weight_from;  ///< sum of w
  std::vector<double> first_from;   ///< sum of w x
  std::vector<double> square_from;  ///< sum of w x^2

  bool empty() const { return magnitude.empty(); }
  double largest() const { return empty() ? 0 : magnitude.back(); }
  void add(double x, double w);
  /// Fills the sums, once all elements are in.
  void finish();
  /// sum w (x - edge)^2 over x > edge.
  double clipped(double edge) const;
  /// sum w (x - step q)^2, q = the nearest of 0..levels.
  double error(double step, std::int32_t levels) const;
};

/// The squared error f(s) = sum_i w_i (x_i - s q_i)^2 of given values on integer grids of step s.
class GridError {
 public:
  explicit GridError(const WeightedValues& values);

  const HalfLine& negative() const { return negative_; }
  const HalfLine& positive() const { return positive_; }
  /// sum w x^2: the error when every code is 0.
  double total_square() const { return total_square_; }
  double largest() const;
  double at(double step, CodeLevels levels) const;
  /// What clipping alone costs: a lower bound of f that falls with the step.
  double clipped(double step, CodeLevels levels) const;
  /// The smallest step that clips nothing on the sides that have codes.
  double unclipped_step(CodeLevels levels) const;
  /// All steps below it have f > limit, because of clipping. Infinity when all steps have.
  double smallest_step(CodeLevels levels, double limit) const;

  /// body(half line, its levels) for both sides.
  template <typename Body>
  void for_each_side(CodeLevels levels, const Body& body) const {
    body(negative_, levels.negative);
    body(positive_, levels.positive);
  }

 private:
  HalfLine negative_;
  HalfLine positive_;
  double total_square_ = 0;
};

}  // namespace cleave::quant
