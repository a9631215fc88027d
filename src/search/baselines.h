#pragma once

#include <map>
#include <optional>
#include <string>

#include "quant/calibration_table.h"
#include "search/plan.h"
#include "search/problem.h"

namespace cleave::search {

/// Latency of the alternatives that a user would compare the plan with, each nullopt when infeasible or not built.
/// cloud_only and edge_only_8bit keep the memory limits but not the distortion limit: they have one choice of bits, and
/// what it costs is to be seen. cloud_only_jpeg sends the mean JPEG size of the table's images. With a pinned cut, ask
/// with the problem of the free one: a pinned unit has one side only. Keys: cloud_only, cloud_only_jpeg,
/// edge_only_8bit, neurosurgeon, dads, qdmp, autosplit.
std::map<std::string, std::optional<PlanBaseline>> baselines(const Problem& problem,
                                                             const quant::CalibrationTable& table);

}  // namespace cleave::search
