#include "tune/least_squares.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace cleave::tune {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

}  // namespace

LeastSquares least_squares(std::span<const float> weights, const Moments& moments, double damping) {
  const auto k = static_cast<Eigen::Index>(moments.mean_inputs.size());
  const auto rows = static_cast<Eigen::Index>(moments.mean_targets.size());
  const Eigen::Map<const FloatMatrix> given(weights.data(), rows, k);
  const Eigen::Map<const Vector> x(moments.mean_inputs.data(), k);
  const Eigen::Map<const Vector> y(moments.mean_targets.data(), rows);
  Matrix inputs = 0.5 * Eigen::Map<const Matrix>(moments.hessian.data(), k, k) - x * x.transpose();
  const Matrix w = given.cast<double>();
  const Matrix missing = Eigen::Map<const Matrix>(moments.products.data(), rows, k) - y * x.transpose() - w * inputs;
  LeastSquares result;
  const Matrix centred = 2 * inputs;
  result.centred_hessian.assign(centred.data(), centred.data() + centred.size());
  const double mean = inputs.diagonal().mean();
  inputs.diagonal().array() += mean > 0 ? damping * mean : 1.0;
  const Matrix change = inputs.llt().solve(missing.transpose()).transpose();
  result.weights.resize(weights.size());
  Eigen::Map<FloatMatrix>(result.weights.data(), rows, k) = (w + change).cast<float>();
  return result;
}

}  // namespace cleave::tune
