#include "tune/tune.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bundle/bundle.h"
#include "calibration/images.h"
#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "core/parallel.h"
#include "evaluation/evaluate.h"
#include "evaluation/uniform.h"
#include "tune/joint_progress.h"
#include "tune/tuned_file.h"

namespace cleave::cli {

namespace {

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::string calibration;
  std::string plan;
  std::string uniform;
  std::int64_t keep_first_last = 0;
  std::string clip = "auto";
  std::string weights_per = "channel";
  std::string images;
  std::int64_t samples = 256;
  std::string labels;
  std::string steps = "default";
  std::optional<double> budget_s;
  bool resume = false;
  std::string output = "tuned.json";
  std::int64_t jobs = 0;
};

void declare(CommandLine& line, Options& options) {
  line.model(options.model);
  line.text("--calibration", options.calibration, {"FILE", "Table from 'cleave calibrate'", true});
  line.text("--plan", options.plan, {"FILE", "Bits from this plan ('cleave search')"});
  line.text("--uniform", options.uniform, {"W4A8", "Instead of a plan: the whole network at these bits"});
  line.integer("--keep-first-last", options.keep_first_last, 0,
               {"BITS", "With --uniform: bits of the first and last weighted unit"});
  line.text("--clip", options.clip, {"METHOD", "With --uniform: how clips are chosen"});
  line.text("--weights-per", options.weights_per,
            {"channel|tensor", "With --uniform: what has a weight scale of its own"});
  line.text("--images", options.images, {"DIR|LIST", "Images without labels, not those of the test", true});
  line.integer("--samples", options.samples, 1, {"N", "Images taken from them, evenly spread"});
  std::vector<std::string> names;
  for (const tune::StepRow& row : tune::tuning_steps()) {
    names.push_back("  " + std::string(row.name) + (row.by_default ? " (on): " : ": ") + row.what);
  }
  std::string what = "What is done, in this order; default, all, none, or names; -NAME leaves one out";
  for (const std::string& name : names) what += "\n" + name;
  line.text("--steps", options.steps, {"LIST", what});
  line.text("-o,--output", options.output, {"FILE", "For 'cleave export --tuned' and 'cleave evaluate --tuned'"});
  line.text("--labels", options.labels,
            {"FILE",
             "lapq and refine minimise the cross-entropy with these labels, not the divergence from the float "
             "network; a line 'path label' for each image"});
  line.number("--budget", options.budget_s, 0, {"SECONDS", "lapq and refine stop then with the best found so far"});
  line.flag("--resume", options.resume, "Continue lapq or refine from FILE.partial where an interrupted run left off");
  line.integer("-j,--jobs", options.jobs, 0, {"N", "Samples in flight (0: all cores)"});
  line.shapes(options.shapes);
}

struct Start {
  exec::QuantizationSpec spec;
  tune::TunedOrigin origin;
};

Start start_from(const Options& options, const graph::Graph& graph, const quant::CalibrationTable& table) {
  if (options.plan.empty() == options.uniform.empty()) {
    throw Error(ErrorKind::kUsage, "give one of --plan and --uniform: the bits to tune at");
  }
  table.require_made_from(graph.fingerprint());
  Start start;
  start.origin.made_from = {{"model", graph.fingerprint()}, {"calibration", table.fingerprint()}};
  if (!options.plan.empty()) {
    const search::Plan plan = search::Plan::load(options.plan);
    start.origin.made_from["plan"] = plan.fingerprint();
    start.origin.bits = "plan";
    start.spec = bundle::quantization_spec(graph, plan, table);
    return start;
  }
  evaluation::UniformOptions uniform = evaluation::uniform_from_text(options.uniform);
  if (options.keep_first_last != 0) {
    uniform.keep_first_last_bits = parse_bits(std::to_string(options.keep_first_last), "--keep-first-last").front();
  }
  uniform.clip = quant::clip_method_from_name(options.clip);
  uniform.weights_per = evaluation::weights_per_from_text(options.weights_per);
  start.origin.bits = options.uniform + (options.weights_per == "tensor" ? ", weights per tensor" : "");
  start.spec = evaluation::uniform_spec(graph, table, uniform);
  return start;
}

struct Samples {
  std::vector<Tensor> inputs;
  std::vector<std::int64_t> labels;
};

Samples load_samples(const Options& options, const quant::CalibrationTable& table, const Shape& shape) {
  auto images = open_images(options.images, 0);
  images.spread(options.samples);
  const auto preprocess =
      calibration::Preprocess::from_json(parse_json(table.preprocess, "calibration table"), "calibration table");
  std::map<std::filesystem::path, std::int64_t> known;
  if (!options.labels.empty()) known = evaluation::read_labels(options.labels);
  Samples samples;
  samples.inputs.resize(images.paths().size());
  const auto count = static_cast<std::int64_t>(samples.inputs.size());
  if (!known.empty()) samples.labels.resize(samples.inputs.size());
  parallel_for(count, static_cast<int>(options.jobs), [&](std::int64_t i) {
    const auto file = images.root() / images.paths()[static_cast<std::size_t>(i)];
    samples.inputs[static_cast<std::size_t>(i)] = calibration::load_sample(file, preprocess, shape, false).input;
    if (known.empty()) return;
    const auto label = known.find(std::filesystem::weakly_canonical(std::filesystem::absolute(file)));
    if (label == known.end()) {
      throw Error(ErrorKind::kInvalidInput, options.labels + ": no label for " + file.string(),
                  "Label every image that is tuned with, or leave --labels out.");
    }
    samples.labels[static_cast<std::size_t>(i)] = label->second;
  });
  return samples;
}

/// What a saved progress must be of.
std::string identity_of(const tune::TunedOrigin& origin, const Options& options, const Samples& samples) {
  Hasher hasher;
  for (const auto& [key, value] : origin.made_from) hasher.add_text(key).add_text(value);
  hasher.add_text(origin.bits).add_text(origin.steps).add_text(options.clip);
  hasher.add_number(options.keep_first_last);
  for (const Tensor& input : samples.inputs) hasher.add(input.raw());
  for (const std::int64_t label : samples.labels) hasher.add_number(label);
  return hasher.hex();
}

/// `budget_s` from now; LAPQ takes half of it at most.
std::function<bool(tune::Step)> deadline(double budget_s) {
  const auto begin = std::chrono::steady_clock::now();
  return [begin, budget_s](tune::Step step) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    return passed.count() > (step == tune::Step::kLapq ? 0.5 : 1.0) * budget_s;
  };
}

std::string to_table(const tune::Tuned& tuned, const std::string& output) {
  std::string text =
      "unit                                      error before   after   (|y - z|^2 / |z|^2 at its output)\n";
  for (const tune::UnitReport& unit : tuned.units) {
    std::string row = unit.unit.substr(0, 40);
    row.resize(42, ' ');
    text += row + fixed(unit.error_before, 6) + "     " + fixed(unit.error_after, 6) + "\n";
  }
  for (const tune::JointReport& joint : tuned.joint) {
    text += std::string(tune::step_name(joint.step)) + ": loss " + fixed(joint.loss_before, 5) + " -> " +
            fixed(joint.loss_after, 5) + ", " + std::to_string(joint.evaluations) + " evaluations" +
            (joint.finished ? "" : " (out of time)") + (joint.p > 0 ? ", p " + fixed(joint.p, 2) : "") + "\n";
  }
  return text + std::to_string(tuned.units.size()) + " units -> " + output + "\n";
}

}  // namespace

int run_tune(const std::vector<std::string>& arguments) {
  CommandLine line(
      "tune", "Rounds weights, corrects biases and fits steps of a quantized network, without labels.",
      "  cleave tune model.onnx --calibration calibration.json --plan plan.json --images photos/ -o tuned.json\n"
      "  cleave tune model.onnx --calibration calibration.json --uniform W4A8 --images photos/ --steps gptq,bias");
  Options options;
  declare(line, options);
  if (!line.parse(arguments)) return 0;
  tune::TuneOptions tuning;
  tuning.steps = tune::steps_from_text(options.steps);
  tuning.threads = static_cast<int>(options.jobs);
  require_output_place(options.output, options.model);
  const quant::CalibrationTable table = quant::CalibrationTable::load(options.calibration);
  const Network network = load_network(options.model, options.shapes);
  Start start = start_from(options, network.graph, table);
  const Samples samples = load_samples(options, table, single_input_shape(network.graph));
  start.origin.steps = tune::steps_text(tuning.steps);
  start.origin.samples = static_cast<std::int64_t>(samples.inputs.size());
  tuning.labels = samples.labels;
  if (options.budget_s) tuning.out_of_time = deadline(*options.budget_s);
  const std::string partial = options.output + ".partial";
  const std::string identity = identity_of(start.origin, options, samples);
  if (options.resume && std::filesystem::exists(partial)) tuning.resume = tune::load_progress(partial, identity);
  tuning.on_state = [&](const tune::JointProgress& state) { tune::save_progress(partial, state, identity); };

  tuning.table = &table;
  ProgressLine progress("tune", "units", line.quiet());
  const tune::Tuned tuned =
      tune::tune(network.graph, std::move(start.spec), samples.inputs, tuning, progress.control());
  progress.finish();
  Json document = tune::tuned_json(network.graph, tuned, start.origin);
  write_json(options.output, document);
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  document.erase("spec");
  line.json() ? write_result(document) : write_result(to_table(tuned, options.output));
  return 0;
}

}  // namespace cleave::cli
