#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/layer_times.h"
#include "cli/output.h"
#include "cli/precision.h"
#include "cli/target.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/parallel.h"
#include "exec/noise.h"

namespace cleave::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string target;
  std::vector<std::string> shapes;
  std::int64_t threads = 1;
  std::int64_t batch = 1;
  std::int64_t warmup = 5;
  std::int64_t iterations = 50;
  std::optional<double> duration_s;
  bool per_layer = false;
  bool pin = false;
  std::string trace;
  PrecisionOptions precision;
  std::string images;
  std::string preprocess;
};

constexpr std::int64_t kTimedRuns = 20;

/// The value below which a share of the sorted values lies (nearest rank).
double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::min(sorted.size() - 1, rank == 0 ? 0 : rank - 1)];
}

Json latency_json(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const double mean = std::accumulate(ms.begin(), ms.end(), 0.0) / static_cast<double>(ms.size());
  double variance = 0;
  for (const double value : ms) variance += (value - mean) * (value - mean) / static_cast<double>(ms.size());
  return {{"min", ms.front()},
          {"mean", mean},
          {"median", percentile(ms, 0.5)},
          {"p90", percentile(ms, 0.9)},
          {"p95", percentile(ms, 0.95)},
          {"p99", percentile(ms, 0.99)},
          {"max", ms.back()},
          {"cv", mean > 0 ? std::sqrt(variance) / mean : 0.0}};
}

std::unique_ptr<Target> open(const Options& options, const exec::SessionOptions& session) {
  if (options.batch == 1) return open_target(options.target, options.shapes, session)();
  return open_batched(options.target, options.shapes, options.batch, session);
}

std::vector<Tensor> noise_for(const graph::Graph& graph) {
  std::vector<Tensor> inputs;
  for (const graph::TensorId id : graph.inputs()) inputs.push_back(exec::noise(graph.tensor(id), 1));
  return inputs;
}

PreciseNetwork open_in_precision(const Options& options, const exec::SessionOptions& session) {
  if (options.batch != 1) throw Error(ErrorKind::kUsage, "--precision works with a batch of one");
  const graph::Graph graph = load_plain_graph(options.target, options.shapes, "--precision");
  const auto samples = [&] {
    if (options.images.empty()) return SampleInputs{noise_for(graph)};
    return first_samples(graph, open_images(options.images, 0), choose_preprocess(options.preprocess, options.target));
  };
  return in_precision(graph, options.precision, samples, session);
}

std::vector<double> measure(Target& target, const std::vector<Tensor>& inputs, const Options& options) {
  std::vector<Tensor> outputs;
  const std::int64_t uncounted = std::max<std::int64_t>(1, options.warmup);  // the first one compiles
  for (std::int64_t i = 0; i < uncounted; ++i) target.run_into(inputs, outputs);
  std::vector<double> ms;
  const Clock::time_point start = Clock::now();
  const auto elapsed_s = [&start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  while (options.duration_s ? elapsed_s() < *options.duration_s
                            : static_cast<std::int64_t>(ms.size()) < options.iterations) {
    const Clock::time_point before = Clock::now();
    target.run_into(inputs, outputs);
    ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
  }
  if (ms.empty())
    throw Error(ErrorKind::kUsage, "nothing was measured", "Give a longer --duration or more --iterations.");
  return ms;
}

/// A few runs that measure each unit.
TimedRuns timed_runs(Target& target, const std::vector<Tensor>& inputs, std::int64_t runs) {
  TimedRuns times(static_cast<std::size_t>(runs));
  for (auto& units : times) target.run_timed(inputs, units);
  return times;
}

void add_layers(Json& document, const TimedRuns& runs, int threads) {
  const exec::Peak peak = exec::measure_peak(threads);
  document["layers"] = layers_json(runs, peak);
  document["operators"] = operators_json(document["layers"]);
  document["peak"] = peak_json(peak, threads);
}

std::string to_table(const Json& document) {
  std::string text;
  if (!document["layers"].empty()) {
    text = layers_text(document["layers"], document["operators"], document["peak"]);
  }
  const Json& latency = document["latency_ms"];
  for (const char* key : {"min", "mean", "median", "p90", "p95", "p99", "max"}) {
    text += std::string(key) + std::string(8 - std::string(key).size(), ' ') + fixed(latency[key].get<double>(), 3) +
            " ms\n";
  }
  if (latency["cv"].get<double>() > 0.1) {
    text += "note: the times vary by " + fixed(100 * latency["cv"].get<double>(), 0) +
            " %; quiet the machine or use --duration\n";
  }
  return text + fixed(document["throughput_per_s"].get<double>(), 1) + " images/s, " +
         std::to_string(document["threads"].get<int>()) + " threads, batch " +
         std::to_string(document["batch"].get<std::int64_t>()) + ", " +
         std::to_string(document["iterations"].get<std::int64_t>()) + " iterations\n";
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
  CommandLine line("bench", "Measures the latency of a model or a bundle on this machine.",
                   "  cleave bench model.onnx --threads 2\n  cleave bench bundle/ --per-layer --json\n"
                   "  cleave bench model.onnx --trace trace.json");
  Options options;
  line.positional("TARGET", options.target, {"", "A model or a bundle", true});
  line.integer("--threads", options.threads, 0, {"N", "0: all cores"});
  line.integer("--batch", options.batch, 1, {"N", "Images per run (models with a symbolic batch)"});
  line.integer("--warmup", options.warmup, 0, {"N", "Runs before measuring; one is always made"});
  line.integer("--iterations", options.iterations, 1, {"N", "Runs measured"});
  line.number("--duration", options.duration_s, 0, {"SECONDS", "Measure for this long instead"});
  line.flag("--pin", options.pin, "Keep each thread on a CPU of its own");
  line.flag("--per-layer", options.per_layer, "Time, GFLOP/s and share of this machine's peak of each unit too");
  line.text("--trace", options.trace, {"FILE", "Write the steps of a run as a Chrome trace"});
  declare_precision(line, options.precision, true);
  line.text("--images", options.images,
            {"DIR|LIST", "With --precision auto: images to measure errors and latencies on (default: noise)"});
  line.text("--preprocess", options.preprocess, {"P", "For --images (default: raw)"});
  line.shapes(options.shapes);
  if (!line.parse(arguments)) return 0;

  const int threads = thread_count(static_cast<int>(options.threads));
  const exec::SessionOptions session{exec::Kernels::kFast, threads, options.pin};
  const std::optional<PreciseNetwork> network =
      options.precision.given() ? std::optional(open_in_precision(options, session)) : std::nullopt;
  const auto target = network ? open_graph(network->graph, session)() : open(options, session);
  std::vector<Tensor> inputs;
  for (const graph::TensorInfo& info : target->inputs()) inputs.push_back(exec::noise(info, 1));
  const std::vector<double> ms = measure(*target, inputs, options);

  Json document = make_document("bench");
  document["threads"] = threads;
  if (network) add_precision(document, *network);
  document["batch"] = options.batch;
  document["iterations"] = ms.size();
  document["latency_ms"] = latency_json(ms);
  document["throughput_per_s"] =
      1e3 * static_cast<double>(options.batch) / document["latency_ms"]["mean"].get<double>();
  document["layers"] = Json::array();
  if (options.per_layer || !options.trace.empty()) {
    const TimedRuns runs = timed_runs(*target, inputs, std::min<std::int64_t>(options.iterations, kTimedRuns));
    if (options.per_layer) add_layers(document, runs, threads);
    if (!options.trace.empty()) write_json(options.trace, trace_json(runs));
  }
  line.json() ? write_result(document) : write_result((network ? precision_text(*network) : "") + to_table(document));
  return 0;
}

}  // namespace cleave::cli
