#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "evaluation/measure_sensitivity.h"

namespace cleave::cli {

namespace {

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::string calibration;
  std::string images;
  std::string preprocess;
  std::string weight_bits = "2,3,4,5,6,7,8";
  std::string activation_bits = "2,3,4,5,6,7,8";
  std::string clip = "auto";
  std::string shard = "0/1";
  std::string output = "sensitivity.json";
  std::optional<double> budget_s;
  std::int64_t samples = 0;
  std::int64_t jobs = 0;
  bool resume = false;
};

void declare(CommandLine& line, Options& options) {
  line.model(options.model);
  line.text("--calibration", options.calibration, {"FILE", "Table from 'cleave calibrate'", true});
  line.text("--images", options.images, {"DIR|LIST", "Images without labels, not those of the test", true});
  line.text("--preprocess", options.preprocess, {"P", "Default: the calibration's"});
  line.text("--weight-bits", options.weight_bits, {"LIST", "Bits of weights, 2 to 8"});
  line.text("--activation-bits", options.activation_bits, {"LIST", "Bits of activations; inputs have 8 beside them"});
  line.text("--clip", options.clip, {"METHOD", quant::clip_method_names()});
  line.integer("--samples", options.samples, 0,
               {"N", "Images taken from them, evenly spread (0: 8 to 256, by the size of the network: minutes)"});
  line.number("--budget", options.budget_s, 0, {"SECONDS", "Stop after so long, with the images measured by then"});
  line.text("--shard", options.shard, {"i/N", "Only this share of the samples; 'cleave merge' joins them"});
  line.flag("--resume", options.resume, "Continue from FILE.partial where an interrupted run left off");
  line.text("-o,--output", options.output, {"FILE", "For 'cleave search --sensitivity'"});
  line.integer("-j,--jobs", options.jobs, 0, {"N", "Images in flight (0: all cores)"});
  line.shapes(options.shapes);
}

std::vector<int> quantized_bits(const std::string& text, const std::string& option) {
  std::vector<int> bits = parse_bits(text, option);
  if (bits.back() == 32) throw Error(ErrorKind::kUsage, option + ": 32 bits do no damage; bits are 2 to 8 here");
  return bits;
}

evaluation::SensitivityRun make_run(const Options& options, const quant::CalibrationTable& table) {
  evaluation::SensitivityRun run;
  run.options.weight_bits = quantized_bits(options.weight_bits, "--weight-bits");
  run.options.activation_bits = quantized_bits(options.activation_bits, "--activation-bits");
  run.options.clip = quant::clip_method_from_name(options.clip);
  run.options.threads = static_cast<int>(options.jobs);
  run.preprocess =
      options.preprocess.empty()
          ? calibration::Preprocess::from_json(parse_json(table.preprocess, "calibration table"), "calibration table")
          : calibration::Preprocess::find(options.preprocess);
  run.samples = options.samples;
  const Shard shard = parse_shard(options.shard);
  run.shard_index = shard.index;
  run.shard_count = shard.count;
  run.checkpoint = options.output + ".partial";
  run.resume = options.resume;
  if (options.budget_s) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(*options.budget_s);
    run.enough = [end] { return std::chrono::steady_clock::now() >= end; };
  }
  return run;
}

/// One thing that can be rounded, with its damage by bits.
struct Line {
  std::string kind;
  std::string name;
  std::map<int, double> damage;
};

std::vector<Line> worst_first(const tune::SensitivityTable& table) {
  std::vector<Line> lines;
  const auto add = [&](const char* kind, const std::vector<tune::SensitivityRow>& rows) {
    for (const tune::SensitivityRow& row : rows) {
      if (lines.empty() || lines.back().kind != kind || lines.back().name != row.name)
        lines.push_back({kind, row.name, {}});
      lines.back().damage[row.bits] = table.damage(row);
    }
  };
  add("weights", table.weights);
  add("activation", table.activations);
  const auto worst = [](const Line& line) { return line.damage.empty() ? 0.0 : line.damage.begin()->second; };
  std::stable_sort(lines.begin(), lines.end(), [&](const Line& a, const Line& b) { return worst(a) > worst(b); });
  return lines;
}

std::string to_table(const tune::SensitivityTable& table, const std::string& output) {
  std::map<int, bool> bits;
  const std::vector<Line> lines = worst_first(table);
  for (const Line& line : lines) {
    for (const auto& [count, damage] : line.damage) bits[count] = true;
  }
  std::vector<std::string> heading{"what", "of"};
  for (const auto& [count, there] : bits) heading.push_back(std::to_string(count) + " bits");
  Table text(heading);
  for (const Line& line : lines) {
    std::vector<std::string> cells{line.kind, line.name};
    for (const auto& [count, there] : bits) {
      const auto damage = line.damage.find(count);
      cells.push_back(damage == line.damage.end() ? "-" : fixed(damage->second, 6));
    }
    text.row(cells);
  }
  std::vector<std::string> measures;
  for (const auto& [name, measure] : table.measure_of) measures.push_back(name + ": " + measure);
  return text.text() + "damage at the outputs (" + join_text(measures, ", ") + "), mean of " +
         std::to_string(table.images.size()) + " images -> " + output + "\n";
}

}  // namespace

int run_sensitivity(const std::vector<std::string>& arguments) {
  CommandLine line(
      "sensitivity", "What rounding each unit's weights, and each activation, alone does to the outputs.",
      "  cleave sensitivity model.onnx --calibration calibration.json --images photos/ -o sensitivity.json\n"
      "  cleave sensitivity model.onnx --calibration c.json --images photos/ --samples 64 --shard 0/4 -o "
      "part-0.json");
  Options options;
  declare(line, options);
  if (!line.parse(arguments)) return 0;
  require_output_place(options.output, options.model);
  const quant::CalibrationTable table = quant::CalibrationTable::load(options.calibration);
  const evaluation::SensitivityRun run = make_run(options, table);
  const Network network = load_network(options.model, options.shapes);
  single_input_shape(network.graph);

  ProgressLine progress("sensitivity", "images", line.quiet());
  const tune::SensitivityTable measured = evaluation::measure_sensitivity(
      network.graph, table, calibration::ImageSet::open(options.images), run, progress.control());
  progress.finish();
  const Json document = measured.to_json();
  write_json(options.output, document);
  std::error_code ignored;
  std::filesystem::remove(*run.checkpoint, ignored);
  line.json() ? write_result(document) : write_result(to_table(measured, options.output));
  return 0;
}

}  // namespace cleave::cli
