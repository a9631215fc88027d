#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "calibration/noise.h"
#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/unit_timing.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "cost/device_file.h"
#include "cost/models.h"
#include "evaluation/uniform.h"
#include "exec/fake_quantize.h"

namespace cleave::cli {

namespace {

constexpr int kNarrowest = 2;  ///< bits that a search may ask for
constexpr quant::Bits kCodes{8};
constexpr quant::Bits kFloats{32};

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::string device;
  std::string output;
  std::string kind = "roofline";
  std::string date;
  std::int64_t threads = 1;
  std::int64_t iterations = 30;
};

/// Both timings and what was made of them.
struct Profile {
  UnitTiming floats;
  UnitTiming codes;
  cost::RooflineFit fit;
};

graph::Graph in_8_bits(const graph::Graph& graph) {
  const quant::CalibrationTable ranges = calibration::calibrate_on_noise(graph);
  return exec::fake_quantize(graph, evaluation::uniform_spec(graph, ranges, {8, 8, 0, quant::ClipMethod::kMinMax}));
}

Profile measure(const graph::Graph& graph, const Options& options) {
  const int threads = static_cast<int>(options.threads);
  Profile profile;
  profile.floats = time_units(graph, graph, kFloats, threads, options.iterations);
  profile.codes = time_units(graph, in_8_bits(graph), kCodes, threads, options.iterations);
  std::vector<cost::MeasuredUnits> all = profile.floats.groups;
  all.insert(all.end(), profile.codes.groups.begin(), profile.codes.groups.end());
  profile.fit = cost::fit_roofline(all);
  return profile;
}

/// The group's time at its first unit; what runs inside that one costs nothing more.
void add_rows(cost::TableModel& table, const UnitTiming& timing, const std::vector<std::string>& columns) {
  for (const cost::MeasuredUnits& group : timing.groups) {
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      for (const std::string& column : columns) table.unit_s[group.names[i]][column] = i == 0 ? group.seconds : 0;
    }
  }
}

/// Narrower codes are multiplied as 8-bit codes here, so they take as long.
std::vector<std::string> code_columns() {
  std::vector<std::string> columns;
  for (int weight = kNarrowest; weight <= kCodes.count; ++weight) {
    for (int activation = kNarrowest; activation <= kCodes.count; ++activation)
      columns.push_back(cost::bits_key({weight}, {activation}));
  }
  return columns;
}

cost::TableModel table_of(const graph::Graph& graph, const Profile& profile) {
  cost::TableModel table;
  for (const graph::Unit& unit : graph.units()) {
    table.unit_s[unit.name][cost::bits_key(kFloats, kFloats)] = 0;
    for (const std::string& column : code_columns()) table.unit_s[unit.name][column] = 0;
  }
  add_rows(table, profile.floats, {cost::bits_key(kFloats, kFloats)});
  add_rows(table, profile.codes, code_columns());
  return table;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

std::string percent(double share) {
  return fixed(100 * share, 0) + " %";
}

cost::Provenance provenance_of(const Options& options, const Profile& profile, int threads) {
  cost::Provenance provenance;
  provenance.source = "measured by cleave profile on " + cpu_name() + ", " + std::to_string(threads) +
                      " threads, with " + std::filesystem::path(options.model).filename().string();
  if (!options.date.empty()) provenance.source += ", " + options.date;
  if (options.kind == "table") {
    provenance.confidence = "medians of " + std::to_string(options.iterations) + " runs, unit by unit";
    provenance.notes = {"of this network only", "below 8 bits: as 8 bits, which is how this machine computes them",
                        "0: the unit runs inside the one before it"};
    return provenance;
  }
  provenance.confidence = "fitted: median error of a unit " + percent(profile.fit.median_relative_error);
  for (const auto& [op, error] : profile.fit.op_error) provenance.notes.push_back(op + ": " + percent(error));
  return provenance;
}

double predicted_s(const UnitTiming& timing, const Profile& profile, const Options& options) {
  double sum = 0;
  for (const cost::MeasuredUnits& group : timing.groups) {
    sum += options.kind == "table" ? group.seconds : cost::predicted_seconds(profile.fit.model, group);
  }
  return sum;
}

Json total_json(const UnitTiming& timing, const Profile& profile, const Options& options) {
  return {{"measured_ms", 1e3 * timing.run_s}, {"predicted_ms", 1e3 * predicted_s(timing, profile, options)}};
}

Json to_json(const Profile& profile, const Options& options, int threads, std::size_t units) {
  Json document = make_document("profile");
  document["device"] = options.output;
  document["name"] = options.device;
  document["kind"] = options.kind;
  document["threads"] = threads;
  document["units"] = units;
  document["float32"] = total_json(profile.floats, profile, options);
  document["int8"] = total_json(profile.codes, profile, options);
  if (options.kind == "roofline") {
    document["error"] = {{"median", profile.fit.median_relative_error}, {"by_op", profile.fit.op_error}};
  }
  return document;
}

std::string total_line(const char* what, const Json& total) {
  return std::string(what) + "  measured " + fixed(total["measured_ms"].get<double>(), 3) + " ms, predicted " +
         fixed(total["predicted_ms"].get<double>(), 3) + " ms\n";
}

std::string to_text(const Json& document, const cost::RooflineModel& model) {
  std::string text;
  if (document.contains("error")) {
    Table rates({"GMAC/s, 8 bits", "GMAC/s, float32", "Gop/s, no MACs", "GB/s", "us per unit"});
    rates.row({fixed(1e-9 * model.macs_per_s, 1), fixed(1e-9 * model.float_macs_per_s, 1),
               fixed(1e-9 * model.vector_ops_per_s, 2), fixed(1e-9 * model.bytes_per_s, 1),
               fixed(1e6 * model.overhead_s, 2)});
    Table errors({"op", "median error"});
    for (const auto& [op, error] : document["error"]["by_op"].items()) errors.row({op, percent(error.get<double>())});
    text = rates.text() + "\n" + errors.text() + "\nmedian error of a unit " +
           percent(document["error"]["median"].get<double>()) + "\n";
  }
  return text + total_line("float32", document["float32"]) + total_line("8 bits ", document["int8"]) + "-> " +
         document["device"].get<std::string>() + "\n";
}

void check(Options& options) {
  if (options.kind != "roofline" && options.kind != "table") {
    throw Error(ErrorKind::kUsage, "--kind '" + options.kind + "' is neither roofline nor table");
  }
  if (options.device.empty()) throw Error(ErrorKind::kUsage, "--device is empty", "Give the device a name.");
  if (options.output.empty()) options.output = options.device + ".json";
  require_output_place(options.output, options.model);
}

}  // namespace

int run_profile(const std::vector<std::string>& arguments) {
  CommandLine line("profile", "Measures this machine with a network and writes a device file that search understands.",
                   "  cleave profile model.onnx --device my-box -o my-box.json\n"
                   "  cleave profile model.onnx --device my-box --kind table --threads 2 -o my-box.json");
  Options options;
  line.model(options.model);
  line.text("--device", options.device, {"NAME", "What the device is called", true});
  line.text("-o,--output", options.output, {"FILE", "The device file (NAME.json unless given)"});
  line.text("--kind", options.kind,
            {"KIND", "roofline: rates that price any network; table: this network's units as measured"});
  line.integer("--threads", options.threads, 0, {"N", "0: all cores"});
  line.integer("--iterations", options.iterations, 1, {"N", "Runs measured at each width"});
  line.text("--date", options.date, {"TEXT", "Noted in the file; left out unless given"});
  line.shapes(options.shapes);
  if (!line.parse(arguments)) return 0;
  check(options);

  const Network network = load_network(options.model, options.shapes);
  const Profile profile = measure(network.graph, options);
  const int threads = thread_count(static_cast<int>(options.threads));
  const cost::Provenance provenance = provenance_of(options, profile, threads);
  write_json(options.output, options.kind == "table"
                                 ? device_file(options.device, table_of(network.graph, profile), provenance)
                                 : device_file(options.device, profile.fit.model, provenance));
  const Json document = to_json(profile, options, threads, network.graph.units().size());
  line.json() ? write_result(document) : write_result(to_text(document, profile.fit.model));
  return 0;
}

}  // namespace cleave::cli
