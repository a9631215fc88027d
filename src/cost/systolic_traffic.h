#pragma once

#include "cost/device.h"

namespace cleave::cost {

/// Bytes between DRAM and an array with read buffers of finite size, for a unit with MACs.
///
///     bytes = batch * groups * (stream(input, activation) + stream(filters, weight)) + ceil(outputs * activation / 8)
///     stream(reads, b) = floor(reads / words) * H + ceil((reads mod words) * b / 8)
///     H = buffer_words(sram bytes),  words = floor(8 H / b)
///
/// reads are dram_traffic's, of one group of one image whose padding is part of the input: a filling moves H bytes
/// whatever the widths, so more bits never move less. Partial sums stay on chip, unlike dram_writes.
///
/// model   with `sram`. weight, activation: of the operands; a product of two activations has no weight width.
/// Throws and costs as dram_traffic.
double dram_bytes(const SystolicModel& model, const UnitWork& work, quant::Bits weight, quant::Bits activation);

}  // namespace cleave::cost
