#pragma once

#include "quant/aciq.h"
#include "quant/clip_methods.h"
#include "quant/grid_error.h"

namespace cleave::quant {

/// The clips under a prior: ACIQ's (aciq.h) and the true optima on the integer grid (prior_optimum.h).

/// The clip in units of the prior's scale, on a grid whose step is clip / codes. No codes on the negative side: the
/// one-sided one. Throws nothing; methods without a prior are a bug of the caller (checked).
double clip_multiplier(const ClipMethod& method, Bits bits, CodeLevels levels, double codes);
/// The method's prior, from values of both signs.
Prior signed_prior(const ClipMethod& method, const WeightedValues& values);
/// The same of the density before a ReLU, when only what the ReLU left is known.
Prior rectified_prior(const ClipMethod& method, const WeightedValues& values);

}  // namespace cleave::quant
