#include "evaluation/evaluate.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/precision.h"
#include "cli/target.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "evaluation/map.h"
#include "evaluation/miou.h"
#include "evaluation/uniform.h"
#include "exec/fake_quantize.h"
#include "tune/stored_hessians.h"
#include "tune/tuned_file.h"

namespace cleave::cli {

namespace {

struct Options {
  std::string target;
  std::vector<std::string> shapes;
  std::string images;
  std::string labels;
  std::string metric = "top1";
  std::string decoder;
  std::string reference;
  std::string preprocess;
  std::string uniform;
  std::string tuned;
  PrecisionOptions precision;
  std::string channel_bits = "uniform";
  std::string rounding = "nearest";
  std::string hessians;
  std::string weights_per = "channel";
  std::string kernels = "fast";
  std::int64_t keep_first_last = 0;
  std::int64_t limit = 0;
  std::int64_t jobs = 0;
};

void declare(CommandLine& line, Options& options) {
  line.positional("TARGET", options.target, {"", "A model or a bundle", true});
  line.text("--images", options.images, {"DIR|LIST", "Images", true});
  line.text(
      "--labels", options.labels,
      {"FILE|DIR",
       "top1: one 'path label' per line, relative to the file's folder; miou: a folder of STEM.png (class indices, "
       "255 ignored); map: of STEM.txt (YOLO boxes)",
       true});
  line.text("--metric", options.metric, {"top1|miou|map", "What is measured"});
  line.text("--decoder", options.decoder,
            {join_text(evaluation::decoder_names(), "|"), "With map: the detector's head"});
  line.text("--reference", options.reference, {"MODEL", "Compare with this network on the same images"});
  line.text("--preprocess", options.preprocess, {"P", "Default: the bundle's, else raw"});
  line.text("--calibration", options.precision.calibration,
            {"FILE", "With --uniform, --precision qint.. or auto: where the activation ranges come from"});
  declare_precision(line, options.precision, false);
  line.text("--uniform", options.uniform, {"W4A8", "Evaluate a plain model quantized throughout at these bits"});
  line.text("--tuned", options.tuned, {"FILE", "Evaluate a plain model as 'cleave tune' left it"});
  line.integer("--keep-first-last", options.keep_first_last, 0,
               {"BITS", "With --uniform: bits of the first and last weighted unit"});
  line.text("--clip", options.precision.clip,
            {"METHOD", "With --uniform or --precision: " + quant::clip_method_names()});
  line.text("--weights-per", options.weights_per,
            {"channel|tensor", "With --uniform: what has a weight scale of its own"});
  line.text("--channel-bits", options.channel_bits,
            {"uniform|aciq|log2|greedy", "With --uniform: how a tensor's weight bits are shared among its channels"});
  line.text("--rounding", options.rounding, {"nearest|gptq", "With --uniform: how weights are rounded"});
  line.text("--hessians", options.hessians, {"FILE", "With --rounding gptq: from 'cleave calibrate --hessians'"});
  line.text("--kernels", options.kernels, {"fast|reference", "reference: the same bits for any thread count"});
  line.integer("--limit", options.limit, 0, {"N", "First N images only (0: all)"});
  line.integer("-j,--jobs", options.jobs, 0, {"N", "Images in flight (0: all cores)"});
  line.shapes(options.shapes);
}

void round_weights(const Options& options, const graph::Graph& graph, const quant::CalibrationTable& table,
                   exec::QuantizationSpec& spec) {
  if (options.rounding == "nearest") return;
  const auto hessians = tune::StoredHessians::load(options.hessians);
  if (hessians.calibration != table.fingerprint()) {
    throw Error(ErrorKind::kStale, options.hessians + ": made from another calibration table",
                "Collect them with the table that --calibration names.");
  }
  tune::round_by_hessians(graph, hessians, spec, static_cast<int>(options.jobs));
}

using Opener = std::function<std::unique_ptr<Target>()>;

Opener open_evaluated(const Options& options) {
  const exec::SessionOptions session{kernels_from_name(options.kernels), 1};
  if (!options.tuned.empty()) {
    if (!options.uniform.empty()) throw Error(ErrorKind::kUsage, "--tuned has its own bits: leave out --uniform");
    const graph::Graph graph = load_plain_graph(options.target, options.shapes, "--tuned");
    return open_graph(exec::fake_quantize(graph, tune::load_tuned(options.tuned, graph).spec), session);
  }
  if (options.uniform.empty()) return open_target(options.target, options.shapes, session);
  if (options.precision.calibration.empty()) throw Error(ErrorKind::kUsage, "--uniform needs --calibration");
  const graph::Graph graph = load_plain_graph(options.target, options.shapes, "--uniform");
  const quant::CalibrationTable table = quant::CalibrationTable::load(options.precision.calibration);
  table.require_made_from(graph.fingerprint());
  evaluation::UniformOptions uniform = evaluation::uniform_from_text(options.uniform);
  if (options.keep_first_last != 0) {
    uniform.keep_first_last_bits = parse_bits(std::to_string(options.keep_first_last), "--keep-first-last").front();
  }
  uniform.clip = quant::clip_method_from_name(options.precision.clip);
  uniform.weights_per = evaluation::weights_per_from_text(options.weights_per);
  uniform.channel_bits = quant::bit_rule_from_name(options.channel_bits);
  exec::QuantizationSpec spec = evaluation::uniform_spec(graph, table, uniform);
  round_weights(options, graph, table, spec);
  return open_graph(exec::fake_quantize(graph, spec), session);
}

PreciseNetwork open_in_precision(const Options& options) {
  if (!options.uniform.empty() || !options.tuned.empty()) {
    throw Error(ErrorKind::kUsage, "--precision excludes --uniform and --tuned");
  }
  const graph::Graph graph = load_plain_graph(options.target, options.shapes, "--precision");
  const auto samples = [&] {
    return first_samples(graph, open_images(options.images, options.limit),
                         choose_preprocess(options.preprocess, options.target));
  };
  return in_precision(graph, options.precision, samples, {kernels_from_name(options.kernels), 1});
}

std::function<evaluation::Predictor()> predictors(Opener open) {
  if (!open) return {};
  return [open = std::move(open)]() -> evaluation::Predictor {
    std::shared_ptr<Target> target = open();
    return [target](const Tensor& input) { return target->run({input}); };
  };
}

void require_rounding(const Options& options) {
  if (options.rounding != "nearest" && options.rounding != "gptq") {
    throw Error(ErrorKind::kUsage, "--rounding '" + options.rounding + "' is neither nearest nor gptq");
  }
  if ((options.rounding == "gptq") != !options.hessians.empty()) {
    throw Error(ErrorKind::kUsage, "--rounding gptq and --hessians go together");
  }
  if (options.rounding == "gptq" && options.uniform.empty()) {
    throw Error(ErrorKind::kUsage, "--rounding gptq is for --uniform");
  }
}

void require_metric(const Options& options) {
  const std::vector<std::string> metrics{"top1", "miou", "map"};
  if (std::find(metrics.begin(), metrics.end(), options.metric) == metrics.end()) {
    throw Error(ErrorKind::kUsage,
                "--metric '" + options.metric + "' is not known" + did_you_mean(options.metric, metrics),
                "Metrics: " + join_text(metrics, ", ") + ".");
  }
  if (options.metric == "map" && options.decoder.empty()) {
    throw Error(ErrorKind::kUsage, "--metric map needs --decoder",
                "Decoders: " + join_text(evaluation::decoder_names(), ", ") + ".");
  }
  if (options.metric != "map" && !options.decoder.empty()) {
    throw Error(ErrorKind::kUsage, "--decoder is for --metric map");
  }
  if (!options.decoder.empty()) evaluation::find_decoder(options.decoder);
}

evaluation::Accuracy measure(const evaluation::LabelledRun& run, const Options& options, const StageControl& control) {
  if (options.metric == "miou") return evaluation::evaluate_miou(run, control);
  if (options.metric == "map") {
    return evaluation::evaluate_map(run, evaluation::find_decoder(options.decoder), control);
  }
  return evaluation::evaluate_top1(run.images, evaluation::read_labels(run.labels), run.preprocess, run.input_shape,
                                   run.make_predictor, run.make_reference, run.threads, control);
}

Json to_json(const evaluation::Accuracy& accuracy, const std::string& metric) {
  Json document = make_document("evaluate");
  document["metric"] = metric;
  document["value"] = accuracy.value;
  document["images"] = accuracy.images;
  document["reference_value"] = accuracy.reference_value ? Json(*accuracy.reference_value) : Json();
  document["agreement"] = accuracy.agreement ? Json(*accuracy.agreement) : Json();
  if (accuracy.both_right) document["both_right"] = *accuracy.both_right;
  for (const auto& [name, value] : accuracy.details) document[name] = value;
  return document;
}

std::string to_table(const evaluation::Accuracy& accuracy, const std::string& metric) {
  std::string text =
      metric + "  " + fixed(100 * accuracy.value, 2) + " %  (" + std::to_string(accuracy.images) + " images)\n";
  for (const auto& [name, value] : accuracy.details) text += name + "  " + fixed(100 * value, 2) + " %\n";
  if (accuracy.reference_value) text += "reference  " + fixed(100 * *accuracy.reference_value, 2) + " %\n";
  if (accuracy.agreement) text += "agreement  " + fixed(100 * *accuracy.agreement, 2) + " %\n";
  return text;
}

}  // namespace

int run_evaluate(const std::vector<std::string>& arguments) {
  CommandLine line("evaluate", "Accuracy of a model or a bundle on labelled images.",
                   "  cleave evaluate bundle/ --images photos/ --labels labels.txt --reference model.onnx\n"
                   "  cleave evaluate model.onnx --images photos/ --labels labels.txt --preprocess imagenet \\\n"
                   "      --calibration calibration.json --uniform W4A8 --keep-first-last 8\n"
                   "  cleave evaluate model.onnx --images photos/ --labels labels.txt --preprocess imagenet \\\n"
                   "      --calibration calibration.json --precision qint8_mixed_float16");
  Options options;
  declare(line, options);
  if (!line.parse(arguments)) return 0;
  require_metric(options);
  require_rounding(options);

  const std::optional<PreciseNetwork> network =
      options.precision.given() ? std::optional(open_in_precision(options)) : std::nullopt;
  const Opener open =
      network ? open_graph(network->graph, {kernels_from_name(options.kernels), 1}) : open_evaluated(options);
  const std::vector<graph::TensorInfo> inputs = open()->inputs();
  if (inputs.size() != 1)
    throw Error(ErrorKind::kUnsupported, "the network has several inputs; images can feed only one");
  const Opener reference = options.reference.empty() ? Opener{}
                                                     : open_target(options.reference, options.shapes,
                                                                   {kernels_from_name(options.kernels), 1});
  ProgressLine progress("evaluate", "images", line.quiet());
  const evaluation::LabelledRun run{open_images(options.images, options.limit),
                                    options.labels,
                                    choose_preprocess(options.preprocess, options.target),
                                    inputs[0].shape,
                                    predictors(open),
                                    predictors(reference),
                                    static_cast<int>(options.jobs)};
  const evaluation::Accuracy accuracy = measure(run, options, progress.control());
  progress.finish();
  if (line.json()) {
    Json document = to_json(accuracy, options.metric);
    if (network) add_precision(document, *network);
    write_result(document);
  } else {
    write_result((network ? precision_text(*network) : "") + to_table(accuracy, options.metric));
  }
  return 0;
}

}  // namespace cleave::cli
