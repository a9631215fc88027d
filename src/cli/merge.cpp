#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "quant/calibration_table.h"

namespace cleave::cli {

int run_merge(const std::vector<std::string>& arguments) {
  CommandLine line("merge", "Joins shards of a calibration; byte-identical to one run over all images.",
                   "  cleave merge part-0.json part-1.json part-2.json -o calibration.json");
  std::vector<std::string> parts;
  std::string output = "calibration.json";
  line.positionals("PARTS", parts, {"", "Calibration tables", true});
  line.text("-o,--output", output, {"FILE", "The joined table"});
  if (!line.parse(arguments)) return 0;

  quant::CalibrationTable table = quant::CalibrationTable::load(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    try {
      table = quant::merge(table, quant::CalibrationTable::load(parts[i]));
    } catch (const Error& error) {
      throw error.within(parts[i]);
    }
  }
  table.save(output);
  Json document = make_document("merge");
  document["calibration"] = output;
  document["images"] = table.images.size();
  document["fingerprint"] = table.fingerprint();
  line.json() ? write_result(document)
              : write_result(std::to_string(parts.size()) + " tables, " + std::to_string(table.images.size()) +
                             " images -> " + output + "\n");
  return 0;
}

}  // namespace cleave::cli
