#include "tune/lapq.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "graph/units.h"
#include "quant/clip.h"
#include "quant/lp_step.h"
#include "tune/joint_search.h"
#include "tune/weight_rows.h"

namespace cleave::tune {

using exec::QuantizationSpec;
using graph::Graph;
using graph::TensorId;
using graph::Unit;

namespace {

constexpr double kExponents[] = {2.0, 2.5, 3.0, 3.5, 4.0};

float as_scale(double step, float otherwise) {
  const auto scale = static_cast<float>(step);
  return std::isnormal(scale) && scale > 0 ? scale : otherwise;
}

void set_weight_steps(const Graph& graph, const Unit& unit, quant::WeightQuantizer& quantizer, double p) {
  const WeightRows rows = weight_rows(*graph.constant(unit.weight), quantizer.axis);
  const quant::WeightGrid grid = quantizer.grid();
  if (quant::has_one_scale(quantizer)) {
    const auto values = quant::WeightedValues::exact(rows.slice(0, rows.rows));
    const double step = quant::lp_step(values, {-grid.min_code, grid.max_code}, p).step;
    std::fill(quantizer.scales.begin(), quantizer.scales.end(), as_scale(step, quantizer.scales[0]));
    return;
  }
  const float largest = *std::max_element(quantizer.scales.begin(), quantizer.scales.end());
  parallel_for(rows.rows, 0, [&](std::int64_t r) {
    const auto values = quant::WeightedValues::exact(rows.slice(r, 1));
    float& scale = quantizer.scales[static_cast<std::size_t>(r)];
    if (values.max_magnitude() <= 1e-3 * static_cast<double>(largest)) return;  // dead: keeps its floored scale
    scale = as_scale(quant::lp_step(values, {-grid.min_code, grid.max_code}, p).step, scale);
  });
}

void set_activation_step(const quant::CalibrationTable& table, const std::string& name,
                         quant::AffineQuantizer& quantizer, double p) {
  const quant::WeightedValues values = table.tensor(name).weighted();
  if (values.empty() || !quantizer.bits.quantized()) return;
  const std::int32_t zero = quantizer.zero_point;
  quantizer.scale =
      as_scale(quant::lp_step(values, {zero, quantizer.bits.max_unsigned() - zero}, p).step, quantizer.scale);
}

}  // namespace

QuantizationSpec lp_spec(const Graph& graph, const QuantizationSpec& spec, const quant::CalibrationTable& table,
                         double p) {
  QuantizationSpec at_p = spec;
  for (const Unit& unit : graph.units()) {
    const auto weights = at_p.weights.find(unit.name);
    if (weights != at_p.weights.end() && weights->second.bits.quantized()) {
      set_weight_steps(graph, unit, weights->second, p);
    }
    for (const TensorId id : unit.outputs) {
      const auto grid = at_p.activations.find(graph.tensor(id).name);
      if (grid != at_p.activations.end()) set_activation_step(table, grid->first, grid->second, p);
    }
  }
  return with_steps(graph, at_p, {});
}

std::optional<double> parabola_vertex(const std::vector<LossAtP>& points) {
  const auto count = static_cast<Eigen::Index>(points.size());
  if (count < 3) return std::nullopt;
  Eigen::MatrixXd powers(count, 3);
  Eigen::VectorXd losses(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const LossAtP& point = points[static_cast<std::size_t>(i)];
    powers.row(i) << point.p * point.p, point.p, 1.0;
    losses(i) = point.loss;
  }
  if (!losses.allFinite()) return std::nullopt;
  const Eigen::Vector3d fit = powers.colPivHouseholderQr().solve(losses);
  if (!(fit(0) > 0)) return std::nullopt;
  const double vertex = -fit(1) / (2 * fit(0));
  const auto [lowest, highest] =
      std::minmax_element(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.p < b.p; });
  return vertex >= lowest->p && vertex <= highest->p ? std::optional(vertex) : std::nullopt;
}

PChoice choose_p(const Graph& graph, const QuantizationSpec& spec, const quant::CalibrationTable& table,
                 const NetworkLoss& loss) {
  PChoice choice;
  choice.best.loss = NetworkLoss::kNoLimit;
  const auto measure = [&](double p) {
    QuantizationSpec at_p = lp_spec(graph, spec, table, p);
    choice.measured.push_back({p, loss.of(at_p)});
    if (!(choice.measured.back().loss < choice.best.loss) && choice.measured.size() > 1) return;
    choice.best = choice.measured.back();
    choice.spec = std::move(at_p);
  };
  for (const double p : kExponents) measure(p);
  if (const auto vertex = parabola_vertex(choice.measured)) measure(*vertex);
  return choice;
}

}  // namespace cleave::tune
