#pragma once

#include <map>
#include <optional>
#include <string>

#include "quant/calibration_table.h"
#include "search/plan.h"
#include "search/problem.h"

namespace cleave::search {

/// Latency of the alternatives that a user would compare the plan with, each nullopt when infeasible. All keep the
/// memory limits; autosplit alone keeps the distortion limit, since the others have no bits to choose: what they cost
/// is to be seen. cloud_only_jpeg sends the mean JPEG size of the table's images. neurosurgeon, dads and qdmp partition
/// the network in `full_precision` (full_precision_problem; nullopt where there is none). With a pinned cut, ask with
/// the problem of the free one: a pinned unit has one side only. Keys: cloud_only, cloud_only_jpeg, edge_only_8bit,
/// neurosurgeon, dads, qdmp, autosplit.
std::map<std::string, std::optional<PlanBaseline>> baselines(const Problem& problem,
                                                             const std::optional<Problem>& full_precision,
                                                             const quant::CalibrationTable& table, Pricing pricing);

}  // namespace cleave::search
