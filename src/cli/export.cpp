#include <nlohmann/json.hpp>

#include "bundle/bundle.h"
#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace cleave::cli {

namespace {

Json to_json(const bundle::SplitBundle& split, const std::string& folder) {
  Json document = make_document("export");
  document["bundle"] = folder;
  document["cloud"] = split.cloud.has_value();
  document["batchable"] = split.batchable;
  document["wire"] = Json::array();
  for (const bundle::WireTensor& wire : split.wire) {
    document["wire"].push_back(
        {{"tensor", wire.tensor}, {"port", wire.port}, {"bits", wire.quantizer.bits.count}, {"bytes", wire.bytes}});
  }
  return document;
}

std::string to_table(const bundle::SplitBundle& split, const std::string& folder) {
  std::string text =
      folder + "/edge.onnx, " + (split.cloud ? folder + "/cloud.onnx" : "no cloud part (nothing crosses)") + "\n";
  for (const bundle::WireTensor& wire : split.wire) {
    text += "  " + wire.tensor + " crosses as '" + wire.port + "': " + std::to_string(wire.quantizer.bits.count) +
            " bits, " + human_bytes(static_cast<double>(wire.bytes)) + "\n";
  }
  if (split.cloud && !split.batchable) text += "  the cloud part takes batch 1 only (the network's batch is fixed)\n";
  return text;
}

}  // namespace

int run_export(const std::vector<std::string>& arguments) {
  CommandLine line(
      "export", "Writes the two halves of a plan: a quantized edge part and a float cloud part, as ONNX.",
      "  cleave export model.onnx --calibration calibration.json --plan plan.json -o bundle/\n"
      "  cleave export model.onnx --calibration calibration.json --plan plan.json --tuned tuned.json -o bundle/");
  std::string model;
  std::string calibration;
  std::string plan;
  std::string tuned;
  std::string output = "bundle";
  std::vector<std::string> shapes;
  bool no_quantize = false;
  line.model(model);
  line.text("--calibration", calibration, {"FILE", "Table from 'cleave calibrate'", true});
  line.text("--plan", plan, {"FILE", "Plan from 'cleave search'", true});
  line.text("--tuned", tuned, {"FILE", "Steps, codes and biases from 'cleave tune --plan' of the same plan"});
  line.text("-o,--output", output, {"DIR", "The bundle"});
  line.flag("--no-quantize", no_quantize,
            "Cut only: every bit-width becomes 32, the halves give the network's outputs bit for bit");
  line.shapes(shapes);
  if (!line.parse(arguments)) return 0;
  if (no_quantize && !tuned.empty()) throw Error(ErrorKind::kUsage, "--no-quantize leaves nothing for --tuned");

  const quant::CalibrationTable table = quant::CalibrationTable::load(calibration);
  const search::Plan loaded = search::Plan::load(plan);
  const Network network = load_network(model, shapes);
  bundle::ExportOptions options;
  options.quantize = !no_quantize;
  std::optional<tune::TunedFile> tuned_file;
  if (!tuned.empty()) options.tuned = &tuned_file.emplace(tune::load_tuned(tuned, network.graph));
  const bundle::SplitBundle split = bundle::make(network.model, network.graph, loaded, table, options);
  bundle::save(split, output);
  line.json() ? write_result(to_json(split, output)) : write_result(to_table(split, output));
  return 0;
}

}  // namespace cleave::cli
