#pragma once

#include <functional>
#include <optional>

#include "bundle/bundle.h"
#include "core/progress.h"

namespace cleave::bundle {

/// Outcome of `cleave verify` (docs: command line contract). What the edge returns counts as crossing: codes of wire
/// tensors and of quantized results made on the edge; those in float count as outputs.
struct Verification {
  std::int64_t images = 0;
  std::int64_t crossing_codes = 0;
  std::int64_t crossing_codes_differing = 0;
  std::int64_t largest_code_difference = 0;
  double max_abs_error = 0;           ///< outputs, bundle's cloud part against the whole's cloud side on the same bytes
  double max_rel_error = 0;           ///< of the output's range
  double max_rel_error_to_float = 0;  ///< whole network unquantized; reported, not judged
  double argmax_agreement = 0;        ///< share of images whose first output has the same argmax as in float
  bool pass = false;

  Json to_json() const;
};

/// Network inputs of one image (already preprocessed); called with ascending index until it returns nothing.
using InputSource = std::function<std::optional<std::vector<Tensor>>(std::int64_t index)>;

/// The two files against the same plan fake-quantized on the whole network. `model` is the original network.
/// Pass: at most 0.1 % of crossing codes differ, each by one, and given the same bytes outputs are within 1e-4 of
/// the range. Throws Error(kStale) when `model` is not the bundle's network, Error(kInvalidInput) without any image.
Verification verify(const LoadedBundle& bundle, const graph::Model& model, const InputSource& inputs,
                    const StageControl& control = {});

}  // namespace cleave::bundle
