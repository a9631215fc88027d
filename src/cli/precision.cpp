#include "cli/precision.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/inputs.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::cli {

namespace {

using exec::PrecisionMeasurement;
using exec::PrecisionRow;

constexpr int kRounds = 5;  ///< over all samples; the quickest run counts

std::string names_of_modes() {
  std::vector<std::string> names;
  for (const PrecisionRow& row : exec::precisions()) names.emplace_back(row.name);
  names.emplace_back("auto");
  return join_text(names, "|");
}

/// A mode that takes part in the choice.
struct Candidate {
  exec::Session session;
  PrecisionMeasurement measurement;
  exec::OutputError error;
};

double run_ms(exec::Session& session, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
  const auto before = std::chrono::steady_clock::now();
  session.run_into(inputs, outputs);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count();
}

std::vector<Candidate> candidates_for(const graph::Graph& graph, const exec::PrecisionRanges& ranges,
                                      const exec::SessionOptions& session) {
  std::vector<Candidate> candidates;
  for (const PrecisionRow& row : exec::precisions()) {
    if (row.code_bits > 0 && ranges.table == nullptr) continue;
    candidates.push_back({exec::Session(exec::with_precision(graph, row.precision, ranges), session),
                          {row.precision, std::numeric_limits<double>::infinity(), 0},
                          {}});
  }
  return candidates;
}

/// The first of the candidates is float32.
void measure_errors(std::vector<Candidate>& candidates, const SampleInputs& samples) {
  for (const std::vector<Tensor>& inputs : samples) {
    const std::vector<Tensor> reference = candidates.front().session.run(inputs);
    for (Candidate& c : candidates) c.error.add(reference, c.session.run(inputs));
  }
  for (Candidate& c : candidates) c.measurement.error_ratio = c.error.ratio();
}

void measure_latencies(std::vector<Candidate>& candidates, const SampleInputs& samples) {
  std::vector<Tensor> outputs;
  for (int round = 0; round < kRounds; ++round) {
    for (const std::vector<Tensor>& inputs : samples) {
      for (Candidate& c : candidates) {
        c.measurement.latency_ms = std::min(c.measurement.latency_ms, run_ms(c.session, inputs, outputs));
      }
    }
  }
}

bool is_within(const PrecisionMeasurement& m, double tolerance) {
  return m.error_ratio <= tolerance;
}

void choose(PreciseNetwork& network, const exec::PrecisionRanges& ranges, const SampleInputs& samples,
            const exec::SessionOptions& session) {
  std::vector<Candidate> candidates = candidates_for(network.graph, ranges, session);
  measure_errors(candidates, samples);
  measure_latencies(candidates, samples);
  for (const Candidate& c : candidates) network.measured.push_back(c.measurement);
  network.precision = exec::choose_precision(network.measured, network.tolerance);
}

}  // namespace

void declare_precision(CommandLine& line, PrecisionOptions& options, bool with_calibration) {
  std::string about = "Run a plain model in this precision. ";
  for (const PrecisionRow& row : exec::precisions()) about += std::string(row.name) + ": " + row.what + ". ";
  line.text("--precision", options.name,
            {names_of_modes(), about + "auto: the fastest here whose outputs stay within --tolerance"});
  line.number("--tolerance", options.tolerance, 0,
              {"R", "With --precision auto: largest relative error of the outputs (default 0.2)"});
  if (!with_calibration) return;
  line.text("--calibration", options.calibration,
            {"FILE", "With --precision qint..: where the activation ranges come from; auto tries those modes with it"});
  line.text("--clip", options.clip, {"METHOD", "With --precision qint8..: how clips are chosen"});
}

SampleInputs first_samples(const graph::Graph& graph, calibration::ImageSet images,
                           const calibration::Preprocess& preprocess) {
  const auto count = static_cast<std::int64_t>(images.paths().size());
  images.limit(std::min(count, kSampleImages));
  const Shape shape = single_input_shape(graph);
  SampleInputs samples;
  for (const std::string& path : images.paths()) {
    samples.push_back({calibration::load_sample(images.root() / path, preprocess, shape, false).input});
  }
  return samples;
}

PreciseNetwork in_precision(const graph::Graph& graph, const PrecisionOptions& options,
                            const std::function<SampleInputs()>& samples, const exec::SessionOptions& session) {
  PreciseNetwork network;
  network.graph = graph;
  network.tolerance = options.tolerance.value_or(kDefaultTolerance);
  const bool chooses = options.name == "auto";
  if (!chooses) network.precision = exec::precision_from_name(options.name);
  if (exec::precision_row(network.precision).code_bits > 0 && options.calibration.empty()) {
    throw Error(ErrorKind::kUsage, "--precision " + options.name + " needs --calibration");
  }
  if (options.tolerance && !chooses) throw Error(ErrorKind::kUsage, "--tolerance is for --precision auto");
  std::optional<quant::CalibrationTable> table;
  if (!options.calibration.empty()) table = quant::CalibrationTable::load(options.calibration);
  const exec::PrecisionRanges ranges{table ? &*table : nullptr, quant::clip_method_from_name(options.clip)};
  if (chooses) choose(network, ranges, samples(), session);
  network.graph = exec::with_precision(graph, network.precision, ranges);
  return network;
}

void add_precision(Json& document, const PreciseNetwork& network) {
  document["precision"] = exec::precision_row(network.precision).name;
  if (network.measured.empty()) return;
  Json rows = Json::array();
  for (const PrecisionMeasurement& m : network.measured) {
    rows.push_back({{"precision", exec::precision_row(m.precision).name},
                    {"latency_ms", m.latency_ms},
                    {"error", std::isfinite(m.error_ratio) ? Json(m.error_ratio) : Json()},
                    {"within_tolerance", is_within(m, network.tolerance)}});
  }
  document["precision_choice"] = {{"tolerance", network.tolerance}, {"measured", std::move(rows)}};
}

std::string precision_text(const PreciseNetwork& network) {
  if (network.measured.empty()) return {};
  Table table({"precision", "latency ms", "error", ""});
  for (const PrecisionMeasurement& m : network.measured) {
    const char* note = m.precision == network.precision  ? "chosen"
                       : is_within(m, network.tolerance) ? ""
                                                         : "beyond the tolerance";
    table.row({exec::precision_row(m.precision).name, fixed(m.latency_ms, 3), fixed(m.error_ratio, 5), note});
  }
  return table.text() + "error: relative, of all outputs, against float32; tolerance " + fixed(network.tolerance, 3) +
         "\n\n";
}

}  // namespace cleave::cli
