#pragma once

#include <map>
#include <optional>
#include <string>

#include "quant/calibration_table.h"
#include "search/plan.h"
#include "search/problem.h"

namespace cleave::search {

/// Latency of the alternatives that a user would compare the plan with, each nullopt when infeasible or not built.
/// Keys: cloud_only, cloud_only_jpeg, edge_only_8bit, neurosurgeon, dads, qdmp, autosplit.
std::map<std::string, std::optional<PlanBaseline>> baselines(const Problem& problem,
                                                             const quant::CalibrationTable& table);

}  // namespace cleave::search
