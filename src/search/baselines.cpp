#include "search/baselines.h"

#include "core/text.h"

namespace cleave::search {

namespace {

constexpr double kMs = 1000;

struct JpegBytes {
  double mean = 0;
  std::int64_t images = 0;
};

/// Over the calibration images that have a measured size.
JpegBytes mean_jpeg_bytes(const quant::CalibrationTable& table) {
  JpegBytes result;
  double sum = 0;
  for (const quant::CalibrationImage& image : table.images) {
    if (image.jpeg_bytes <= 0) continue;
    sum += static_cast<double>(image.jpeg_bytes);
    ++result.images;
  }
  if (result.images > 0) result.mean = sum / static_cast<double>(result.images);
  return result;
}

bool has_plan(const Outcome& outcome) {
  return outcome.status == Status::kOptimal || outcome.status == Status::kFeasible;
}

std::optional<PlanBaseline> priced(const Outcome& outcome) {
  if (!has_plan(outcome)) return std::nullopt;
  return PlanBaseline{kMs * outcome.evaluation.latency_s, grouped(outcome.evaluation.wire_bytes) + " bytes uploaded"};
}

/// Cloud-only with the image's JPEG bytes in place of its raw ones. One network input only: else there is no one image.
std::optional<PlanBaseline> with_jpeg(const Problem& problem, const Outcome& cloud_only,
                                      const quant::CalibrationTable& table) {
  const JpegBytes jpeg = mean_jpeg_bytes(table);
  if (!has_plan(cloud_only) || problem.inputs.size() != 1 || jpeg.images == 0) return std::nullopt;
  const double saved_bytes = static_cast<double>(cloud_only.evaluation.wire_bytes) - jpeg.mean;
  const double latency_s = cloud_only.evaluation.latency_s - saved_bytes / problem.link.bytes_per_s;
  const std::string detail = grouped(static_cast<std::int64_t>(jpeg.mean + 0.5)) + " bytes uploaded, the mean of " +
                             grouped(jpeg.images) + " images";
  return PlanBaseline{kMs * latency_s, detail};
}

}  // namespace

std::map<std::string, std::optional<PlanBaseline>> baselines(const Problem& problem,
                                                             const std::optional<Problem>& full_precision,
                                                             const quant::CalibrationTable& table, Pricing pricing) {
  SolveOptions options;
  options.pricing = pricing;
  Problem undistorted = problem;
  undistorted.limits.distortion.reset();
  const Outcome cloud_only = solve(undistorted, "cloud_only", options);
  std::map<std::string, std::optional<PlanBaseline>> result;
  result["cloud_only"] = priced(cloud_only);
  result["cloud_only_jpeg"] = with_jpeg(problem, cloud_only, table);
  result["edge_only_8bit"] = priced(solve(undistorted, "edge_only_8bit", options));
  result["autosplit"] = priced(solve(problem, "autosplit", options));
  for (const char* partitioner : {"neurosurgeon", "dads", "qdmp"}) {
    result[partitioner] = full_precision ? priced(solve(*full_precision, partitioner, options)) : std::nullopt;
  }
  return result;
}

}  // namespace cleave::search
