#include "quant/hessian_rounding.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "quant/rounding.h"

namespace cleave::quant {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::Matrix<double, 1, Eigen::Dynamic>;
using ConstMatrixMap = Eigen::Map<const Matrix>;

constexpr Eigen::Index kBlock = 64;        // inputs whose errors reach the later ones in one product
constexpr Eigen::Index kRowsAtATime = 16;  // rows per task

void check_layer(const LayerWeights& layer, std::size_t hessian_size) {
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  CLEAVE_CHECK(layer.values.size() == layer.scales.size() * inputs, "one scale per row of weights");
  CLEAVE_CHECK(hessian_size == inputs * inputs, "the Hessian is square in the inputs");
  CLEAVE_CHECK(layer.grid.min_code >= -128 && layer.grid.max_code <= 127, "codes are of at most 8 bits");
}

double nearest(const WeightGrid& grid, double weight, double scale) {
  return clamped_code<double>(weight / scale, grid.min_code, grid.max_code);
}

/// H + lambda I with inputs in the given order; those that never occurred stand alone.
Matrix damped(std::span<const double> hessian, double damping, const std::vector<Eigen::Index>& order) {
  const auto n = static_cast<Eigen::Index>(order.size());
  const ConstMatrixMap given(hessian.data(), n, n);
  if (!given.allFinite()) throw Error(ErrorKind::kInvalidInput, "the Hessian of a layer's inputs is not finite");
  Matrix ordered(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      ordered(i, j) = given(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
    }
  }
  const double mean = ordered.diagonal().mean();
  for (Eigen::Index i = 0; i < n; ++i) {
    if (ordered(i, i) == 0) ordered(i, i) = mean > 0 ? mean : 1;
  }
  ordered.diagonal().array() += damping * mean;
  return ordered;
}

/// The inverse of an upper triangle, in place, by halves:  (A B; 0 D)^-1 = (A^-1  -A^-1 B D^-1; 0  D^-1).
void invert_upper(Eigen::Ref<Matrix> upper) {
  const Eigen::Index n = upper.rows();
  if (n <= kBlock) {
    const Matrix identity = Matrix::Identity(n, n);
    upper = upper.triangularView<Eigen::Upper>().solve(identity).eval();
    return;
  }
  const Eigen::Index half = n / 2;
  const Eigen::Index rest = n - half;
  invert_upper(upper.topLeftCorner(half, half));
  invert_upper(upper.bottomRightCorner(rest, rest));
  const Matrix left = upper.topLeftCorner(half, half).triangularView<Eigen::Upper>() * upper.topRightCorner(half, rest);
  upper.topRightCorner(half, rest).noalias() =
      -(left * upper.bottomRightCorner(rest, rest).triangularView<Eigen::Upper>());
}

/// U, upper triangular, with U^T U = A^-1. With the rows and columns of A turned around, L L^T is its Cholesky
/// decomposition; turned back, L is an upper triangle R with R R^T = A, and U = R^-1.
Matrix inverse_factor(const Matrix& matrix) {
  Eigen::LLT<Matrix> cholesky(matrix.reverse());
  if (cholesky.info() != Eigen::Success) {
    throw Error(ErrorKind::kInvalidInput, "the Hessian of a layer's inputs is not positive definite",
                "Use a larger damping, or more calibration images.");
  }
  Matrix upper = Matrix(cholesky.matrixL()).reverse();
  invert_upper(upper);
  return upper;
}

std::vector<Eigen::Index> own_order(std::int64_t inputs) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(inputs));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<Eigen::Index> order_of(std::span<const double> hessian, std::int64_t inputs, bool by_importance) {
  std::vector<Eigen::Index> order = own_order(inputs);
  if (!by_importance) return order;
  const ConstMatrixMap given(hessian.data(), inputs, inputs);
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return given(a, a) > given(b, b); });
  return order;
}

/// Rows [first, last) of a layer on their way through GPTQ: weights in rounding order, codes in the layer's.
class RowsInGptq {
 public:
  RowsInGptq(const LayerWeights& layer, const std::vector<Eigen::Index>& order, Eigen::Index first, Eigen::Index last)
      : layer_(layer),
        order_(order),
        first_(first),
        weights_(last - first, layer.inputs),
        errors_(last - first, kBlock) {
    for (Eigen::Index r = 0; r < weights_.rows(); ++r) {
      for (Eigen::Index i = 0; i < layer.inputs; ++i) {
        const auto input = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
        weights_(r, i) = layer.values[place(r) + input];
      }
    }
  }

  void round(const Matrix& upper, LayerCodes& codes) {
    const Eigen::Index n = weights_.cols();
    for (Eigen::Index start = 0; start < n; start += kBlock) {
      const Eigen::Index size = std::min(kBlock, n - start);
      for (Eigen::Index i = start; i < start + size; ++i) round_input(upper, i, start + size, codes, i - start);
      const Eigen::Index rest = n - start - size;
      if (rest == 0) continue;
      weights_.rightCols(rest).noalias() -= errors_.leftCols(size) * upper.block(start, n - rest, size, rest);
    }
  }

 private:
  std::size_t place(Eigen::Index row) const { return static_cast<std::size_t>((first_ + row) * layer_.inputs); }

  /// Rounds input i of all rows and passes the error on to the others of its block.
  void round_input(const Matrix& upper, Eigen::Index i, Eigen::Index block_end, LayerCodes& codes, Eigen::Index slot) {
    const auto input = static_cast<std::size_t>(order_[static_cast<std::size_t>(i)]);
    for (Eigen::Index r = 0; r < weights_.rows(); ++r) {
      const double scale = layer_.scales[static_cast<std::size_t>(first_ + r)];
      const double code = nearest(layer_.grid, weights_(r, i), scale);
      codes[place(r) + input] = static_cast<std::int8_t>(code);
      errors_(r, slot) = (weights_(r, i) - scale * code) / upper(i, i);
    }
    const Eigen::Index others = block_end - i - 1;
    weights_.middleCols(i + 1, others).noalias() -= errors_.col(slot) * upper.row(i).segment(i + 1, others);
  }

  const LayerWeights& layer_;
  const std::vector<Eigen::Index>& order_;
  Eigen::Index first_;
  Matrix weights_;
  Matrix errors_;
};

/// One row by OBQ.
class RowInObq {
 public:
  RowInObq(const LayerWeights& layer, Eigen::Index row, Matrix inverse)
      : grid_(layer.grid), scale_(layer.scales[static_cast<std::size_t>(row)]), inverse_(std::move(inverse)) {
    const auto values =
        layer.values.subspan(static_cast<std::size_t>(row * layer.inputs), static_cast<std::size_t>(layer.inputs));
    weights_.resize(layer.inputs);
    for (Eigen::Index i = 0; i < layer.inputs; ++i) weights_(i) = values[static_cast<std::size_t>(i)];
    open_.assign(values.size(), true);
  }

  void round(std::span<std::int8_t> codes) {
    for (std::size_t done = 0; done < codes.size(); ++done) {
      const Eigen::Index i = next();
      const double code = nearest(grid_, weights_(i), scale_);
      codes[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(code);
      settle(i, weights_(i) - scale_ * code);
    }
  }

 private:
  double error(Eigen::Index i) const { return weights_(i) - scale_ * nearest(grid_, weights_(i), scale_); }

  /// What leaves the grid goes first: later it can only get worse. Else what raises the output's error least.
  Eigen::Index next() const {
    Eigen::Index best = -1;
    double best_cost = std::numeric_limits<double>::infinity();
    bool best_outside = false;
    for (Eigen::Index i = 0; i < weights_.size(); ++i) {
      if (!open_[static_cast<std::size_t>(i)]) continue;
      const double e = error(i);
      const double cost = e * e / inverse_(i, i);
      const bool outside = e * e > 0.25 * scale_ * scale_;
      if (best >= 0 && (outside != best_outside ? best_outside : cost >= best_cost)) continue;
      best = i;
      best_cost = cost;
      best_outside = outside;
    }
    return best;
  }

  /// Takes the input out of the problem: the others move, and their inverse Hessian loses its row and column.
  void settle(Eigen::Index i, double error) {
    const Vector column = inverse_.row(i);
    const double pivot = inverse_(i, i);
    weights_ -= error / pivot * column;
    inverse_.noalias() -= column.transpose() * (column / pivot);
    open_[static_cast<std::size_t>(i)] = false;
  }

  WeightGrid grid_;
  double scale_;
  Matrix inverse_;
  Vector weights_;
  std::vector<bool> open_;
};

}  // namespace

LayerCodes nearest_codes(const LayerWeights& layer) {
  LayerCodes codes(layer.values.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const double scale = layer.scales[i / static_cast<std::size_t>(layer.inputs)];
    codes[i] = static_cast<std::int8_t>(nearest(layer.grid, layer.values[i], scale));
  }
  return codes;
}

LayerCodes gptq_codes(const LayerWeights& layer, std::span<const double> hessian, const GptqOptions& options) {
  check_layer(layer, hessian.size());
  const std::vector<Eigen::Index> order = order_of(hessian, layer.inputs, options.by_importance);
  const Matrix upper = inverse_factor(damped(hessian, options.damping, order));
  LayerCodes codes(layer.values.size());
  const Eigen::Index tasks = (layer.rows() + kRowsAtATime - 1) / kRowsAtATime;
  parallel_for(tasks, options.threads, [&](std::int64_t task) {
    const Eigen::Index first = task * kRowsAtATime;
    const Eigen::Index last = std::min<Eigen::Index>(first + kRowsAtATime, layer.rows());
    RowsInGptq(layer, order, first, last).round(upper, codes);
  });
  return codes;
}

LayerCodes obq_codes(const LayerWeights& layer, std::span<const double> hessian, const GptqOptions& options) {
  check_layer(layer, hessian.size());
  const Matrix upper = inverse_factor(damped(hessian, options.damping, own_order(layer.inputs)));
  const Matrix inverse = upper.transpose() * upper;
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  LayerCodes codes(layer.values.size());
  parallel_for(layer.rows(), options.threads, [&](std::int64_t row) {
    const auto own = std::span(codes).subspan(static_cast<std::size_t>(row) * inputs, inputs);
    RowInObq(layer, row, inverse).round(own);
  });
  return codes;
}

double output_error(const LayerWeights& layer, std::span<const std::int8_t> codes, std::span<const double> hessian) {
  check_layer(layer, hessian.size());
  const ConstMatrixMap matrix(hessian.data(), layer.inputs, layer.inputs);
  double sum = 0;
  Vector difference(layer.inputs);
  for (Eigen::Index r = 0; r < layer.rows(); ++r) {
    for (Eigen::Index i = 0; i < layer.inputs; ++i) {
      const auto at = static_cast<std::size_t>(r * layer.inputs + i);
      difference(i) = static_cast<double>(layer.values[at]) -
                      static_cast<double>(layer.scales[static_cast<std::size_t>(r)]) * codes[at];
    }
    sum += difference.dot(difference * matrix);
  }
  return 0.5 * sum;
}

}  // namespace cleave::quant
