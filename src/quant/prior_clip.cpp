#include "quant/prior_clip.h"

#include "core/check.h"
#include "quant/prior_optimum.h"

namespace cleave::quant {

namespace {

using Kind = ClipMethod::Kind;

bool is_laplace(const ClipMethod& method) {
  const bool laplace = method.kind == Kind::kAciqLaplace || method.kind == Kind::kLaplace;
  CLEAVE_CHECK(laplace || method.kind == Kind::kAciqGauss || method.kind == Kind::kGauss, "the method has a prior");
  return laplace;
}

}  // namespace

double clip_multiplier(const ClipMethod& method, Bits bits, CodeLevels levels, double codes) {
  const bool one_sided = levels.negative == 0;
  if (method.kind == Kind::kAciqLaplace) return aciq_laplace_multiplier(bits, one_sided);
  if (method.kind == Kind::kAciqGauss) return aciq_gauss_multiplier(bits, one_sided);
  const Density density = is_laplace(method) ? Density::kLaplace : Density::kGauss;
  // A side without codes adds to the error what no step changes: 1 bit on both sides is as on one.
  return prior_optimum(density, levels.positive > 0 ? levels : CodeLevels{0, levels.negative}).step * codes;
}

Prior signed_prior(const ClipMethod& method, const WeightedValues& values) {
  return is_laplace(method) ? laplace_prior(values) : gauss_prior(values);
}

Prior rectified_prior(const ClipMethod& method, const WeightedValues& values) {
  return is_laplace(method) ? laplace_prior_of_nonzeros(values) : gauss_prior_of_nonzeros(values);
}

}  // namespace cleave::quant
