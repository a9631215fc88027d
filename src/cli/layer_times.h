#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "exec/peak.h"
#include "exec/session.h"

namespace cleave::cli {

/// Times of the same units over several runs.
using TimedRuns = std::vector<std::vector<exec::UnitTime>>;

/// A row per unit in schedule order: {"name", "op", "ms" (median), "macs", "bits" (8: it multiplies codes, else 32),
/// "gflops" (2 MACs per second, 10^9; null without MACs), "peak_share" (of `peak` at these bits; null without MACs),
/// "bytes" (tensors read and written by its steps), "kernels"}.
Json layers_json(const TimedRuns& runs, const exec::Peak& peak);

/// Totals of the rows by operator, most time first: {"op", "units", "ms", "share", "macs", "gflops"}.
Json operators_json(const Json& layers);

Json peak_json(const exec::Peak& peak, int threads);

/// Both as tables for people.
std::string layers_text(const Json& layers, const Json& operators, const Json& peak);

/// The quickest run as a Chrome trace (chrome://tracing, https://ui.perfetto.dev): a bar per step with operator, unit,
/// kernel, bytes and GFLOP/s.
Json trace_json(const TimedRuns& runs);

}  // namespace cleave::cli
