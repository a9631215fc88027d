#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "quant/calibration_table.h"
#include "tune/sensitivity_table.h"
#include "tune/stored_hessians.h"

namespace cleave::cli {

namespace {

/// All parts as one; the first is read already.
template <typename Artefact>
Artefact joined(const std::vector<std::string>& parts, const Json& first) {
  Artefact whole = Artefact::from_json(first, parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    try {
      whole = merge(whole, Artefact::from_json(read_json(parts[i]), parts[i]));
    } catch (const Error& error) {
      throw error.within(parts[i]);
    }
  }
  return whole;
}

Json summary(const char* what, const std::string& output, std::size_t images, const std::string& fingerprint) {
  Json document = make_document("merge");
  document[what] = output;
  document["images"] = images;
  document["fingerprint"] = fingerprint;
  return document;
}

Json join_calibration(const std::vector<std::string>& parts, const Json& first, const std::string& output) {
  const auto table = joined<quant::CalibrationTable>(parts, first);
  table.save(output);
  return summary("calibration", output, table.images.size(), table.fingerprint());
}

Json join_sensitivity(const std::vector<std::string>& parts, const Json& first, const std::string& output) {
  const auto table = joined<tune::SensitivityTable>(parts, first);
  write_json(output, table.to_json());
  return summary("sensitivity", output, table.images.size(), table.fingerprint());
}

Json join_hessians(const std::vector<std::string>& parts, const std::string& output) {
  auto whole = tune::StoredHessians::load(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    try {
      tune::merge_into(tune::StoredHessians::load(parts[i]), whole);
    } catch (const Error& error) {
      throw error.within(parts[i]);
    }
  }
  whole.save(output);
  Json document = make_document("merge");
  document["hessians"] = output;
  document["images"] = whole.images;
  return document;
}

Json join(const std::vector<std::string>& parts, const std::string& output) {
  if (tune::StoredHessians::is_one(parts.front())) return join_hessians(parts, output);
  const Json first = read_json(parts.front());
  const bool sensitivity = first.is_object() && first.value("schema", Json()) == "cleave.sensitivity/1";
  return sensitivity ? join_sensitivity(parts, first, output) : join_calibration(parts, first, output);
}

}  // namespace

int run_merge(const std::vector<std::string>& arguments) {
  CommandLine line(
      "merge", "Joins shards of a calibration, of sensitivities or of Hessians; byte-identical to one run over all.",
      "  cleave merge part-0.json part-1.json part-2.json -o calibration.json");
  std::vector<std::string> parts;
  std::string output = "calibration.json";
  line.positionals("PARTS", parts, {"", "Calibration tables, sensitivities, or Hessians", true});
  line.text("-o,--output", output, {"FILE", "The joined table"});
  if (!line.parse(arguments)) return 0;

  const Json document = join(parts, output);
  line.json() ? write_result(document)
              : write_result(std::to_string(parts.size()) + " tables, " + document["images"].dump() + " images -> " +
                             output + "\n");
  return 0;
}

}  // namespace cleave::cli
