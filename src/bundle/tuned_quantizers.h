#pragma once

#include "bundle/quantizers.h"
#include "tune/tuned_file.h"

namespace cleave::bundle {

/// What `cleave tune` made of the quantizers that the plan and the table give (`chosen`): its grids, scales, codes and
/// biases.
/// Throws Error(kStale) when the file was tuned for other bits than the plan's, or from another table;
/// Error(kInvalidInput) when it does not decide the same tensors and weights at the same bits as `chosen` does.
ChosenQuantizers tuned_quantizers(ChosenQuantizers chosen, const search::Plan& plan,
                                  const quant::CalibrationTable& table, const tune::TunedFile& tuned);

}  // namespace cleave::bundle
