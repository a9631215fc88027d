#include <nlohmann/json.hpp>

#include "calibration/calibrate.h"
#include "calibration/hessians.h"
#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace cleave::cli {

namespace {

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::string images;
  std::string preprocess = "raw";
  std::string output = "calibration.json";
  std::string shard = "0/1";
  std::string statistics = "sampled";
  std::string hessians;
  std::string calibration;
  std::int64_t limit = 0;
  std::int64_t max_bad = 10;
  std::int64_t jobs = 0;
  bool pre_activation = false;
  bool resume = false;
};

calibration::HistogramValues histogram_values(const std::string& text) {
  if (text == "full") return calibration::HistogramValues::kAll;
  if (text == "sampled") return calibration::HistogramValues::kSample;
  throw Error(ErrorKind::kUsage, "--statistics '" + text + "' is neither full nor sampled");
}

void warn_of_broken_inputs(const graph::Graph& graph, const quant::CalibrationTable& table) {
  for (const graph::TensorId id : graph.inputs()) {
    const std::string& name = graph.tensor(id).name;
    const auto found = table.tensors.find(name);
    if (found == table.tensors.end()) continue;
    const std::uint64_t broken = found->second.counts.nans + found->second.counts.infs;
    if (broken > 0) log_warning("input '" + name + "': " + std::to_string(broken) + " values are NaN or infinite");
  }
}

Json to_json(const quant::CalibrationTable& table, const std::string& path) {
  Json document = make_document("calibrate");
  document["calibration"] = path;
  document["fingerprint"] = table.fingerprint();
  document["images"] = table.images.size();
  document["bad_images"] = table.bad_images;
  document["tensors"] = table.tensors.size();
  return document;
}

/// The second pass. Its images and preprocessing are those of the table.
int collect_hessians(const CommandLine& line, const Options& options, const calibration::HessianOptions& shares) {
  if (options.calibration.empty()) throw Error(ErrorKind::kUsage, "--hessians needs --calibration");
  if (options.resume || options.limit > 0) {
    throw Error(ErrorKind::kUsage, "--hessians takes the table's images: leave out --resume and --limit");
  }
  require_output_place(options.hessians, options.model);
  const quant::CalibrationTable table = quant::CalibrationTable::load(options.calibration);
  const Network network = load_network(options.model, options.shapes);
  ProgressLine progress("calibrate", "images", line.quiet());
  const tune::StoredHessians hessians = calibration::collect_hessians(
      network.graph, table, calibration::ImageSet::open(options.images), shares, progress.control());
  progress.finish();
  hessians.save(options.hessians);
  Json document = make_document("calibrate");
  document["hessians"] = options.hessians;
  document["images"] = hessians.images;
  document["units"] = hessians.units.size();
  line.json() ? write_result(document)
              : write_result(std::to_string(hessians.images) + " images, " + std::to_string(hessians.units.size()) +
                             " units -> " + options.hessians + "\n");
  return 0;
}

}  // namespace

int run_calibrate(const std::vector<std::string>& arguments) {
  CommandLine line("calibrate", "Collects activation statistics of a model over an image set, in constant memory.",
                   "  cleave calibrate model.onnx --images photos/ --preprocess imagenet -o calibration.json\n"
                   "  cleave calibrate model.onnx --images photos/ --preprocess p.json --shard 0/4 -o part-0.json\n"
                   "  cleave calibrate model.onnx --images photos/ --calibration calibration.json --hessians h.bin");
  Options options;
  line.model(options.model);
  line.text("--images", options.images,
            {"DIR|LIST", "Folder of images and .npy files, or a file that lists them", true});
  line.text("--preprocess", options.preprocess, {"P", "imagenet, tf, raw, or a cleave.preprocess/1 file"});
  line.text("-o,--output", options.output, {"FILE", "The calibration table"});
  line.integer("--limit", options.limit, 0, {"N", "First N images only (0: all)"});
  line.text("--shard", options.shard, {"i/N", "Only this share of the images; 'cleave merge' joins them"});
  line.text("--statistics", options.statistics,
            {"KIND", "Histograms of all values (full), or of a part of each image's (sampled)"});
  line.text("--hessians", options.hessians,
            {"FILE", "A second pass: second moments of what each weight is multiplied with, for --rounding gptq"});
  line.text("--calibration", options.calibration, {"FILE", "With --hessians: the finished table of the first pass"});
  line.flag("--pre-activation", options.pre_activation,
            "Also count the values before the Relu or Clip that ends a unit, for --clip aciq");
  line.flag("--resume", options.resume, "Continue from FILE.partial where an interrupted run left off");
  line.integer("--max-bad", options.max_bad, 0, {"N", "More unreadable images than this is an error"});
  line.integer("-j,--jobs", options.jobs, 0, {"N", "Images in flight (0: all cores)"});
  line.shapes(options.shapes);
  if (!line.parse(arguments)) return 0;

  calibration::CalibrateOptions calibrate;
  const Shard shard = parse_shard(options.shard);
  calibrate.shard_index = shard.index;
  calibrate.shard_count = shard.count;
  if (!options.hessians.empty()) {
    return collect_hessians(line, options, {shard.index, shard.count, static_cast<int>(options.jobs), log_warning});
  }
  if (!options.calibration.empty()) throw Error(ErrorKind::kUsage, "--calibration is for --hessians");
  calibrate.preprocess = calibration::Preprocess::find(options.preprocess);
  calibrate.histogram_values = histogram_values(options.statistics);
  calibrate.pre_activation = options.pre_activation;
  calibrate.limit = options.limit;
  calibrate.max_bad = options.max_bad;
  calibrate.threads = static_cast<int>(options.jobs);
  calibrate.checkpoint = options.output + ".partial";
  calibrate.resume = options.resume;
  calibrate.on_warning = log_warning;

  require_output_place(options.output, options.model);
  const Network network = load_network(options.model, options.shapes);
  ProgressLine progress("calibrate", "images", line.quiet());
  const quant::CalibrationTable table =
      calibration::calibrate(network.graph, network.model.sha256(), calibration::ImageSet::open(options.images),
                             calibrate, progress.control());
  progress.finish();
  warn_of_broken_inputs(network.graph, table);
  table.save(options.output);
  std::error_code ignored;
  std::filesystem::remove(*calibrate.checkpoint, ignored);
  if (line.json()) {
    write_result(to_json(table, options.output));
  } else {
    write_result(std::to_string(table.images.size()) + " images (" + std::to_string(table.bad_images.size()) +
                 " unreadable, preprocessing '" + options.preprocess + "'), " + std::to_string(table.tensors.size()) +
                 " tensors -> " + options.output + "\n");
  }
  return 0;
}

}  // namespace cleave::cli
