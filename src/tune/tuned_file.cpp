#include "tune/tuned_file.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "exec/spec_json.h"

namespace cleave::tune {

Json tuned_json(const graph::Graph& graph, const Tuned& tuned, const TunedOrigin& origin) {
  Json document = make_document("tuned");
  document["made_from"] = origin.made_from;
  document["bits"] = origin.bits;
  document["steps"] = origin.steps;
  document["samples"] = origin.samples;
  document["spec"] = exec::spec_json(graph, tuned.spec);
  document["units"] = Json::array();
  for (const UnitReport& unit : tuned.units) {
    document["units"].push_back({{"unit", unit.unit},
                                 {"error_before_ratio", unit.error_before},
                                 {"error_after_ratio", unit.error_after},
                                 {"channels", unit.channels}});
  }
  document["joint"] = Json::array();
  for (const JointReport& joint : tuned.joint) {
    document["joint"].push_back({{"step", step_name(joint.step)},
                                 {"p", joint.p},
                                 {"loss_before", joint.loss_before},
                                 {"loss_after", joint.loss_after},
                                 {"evaluations", joint.evaluations},
                                 {"finished", joint.finished}});
  }
  return document;
}

TunedFile tuned_from_json(std::shared_ptr<const Json> document, const std::string& where, const graph::Graph& graph) {
  JsonReader reader(*document, where);
  reader.require_schema("tuned");
  TunedFile file;
  JsonReader made_from = reader.object("made_from");
  for (const auto& entry : made_from.json().items()) {
    file.origin.made_from[entry.key()] = made_from.text(entry.key());
  }
  if (file.origin.made_from["model"] != graph.fingerprint()) {
    throw Error(ErrorKind::kStale, where + " was tuned for another network", "Run cleave tune on this model.");
  }
  file.origin.bits = reader.text("bits");
  file.origin.steps = reader.text("steps");
  file.origin.samples = reader.integer("samples");
  file.spec = exec::spec_from_json(reader.object("spec"), graph);
  reader.ignore("units");
  reader.ignore("joint");
  reader.finish();
  file.fingerprint = json_fingerprint(*document);
  file.document = std::move(document);
  return file;
}

TunedFile load_tuned(const std::filesystem::path& path, const graph::Graph& graph) {
  return tuned_from_json(std::make_shared<const Json>(read_json(path)), path.string(), graph);
}

}  // namespace cleave::tune
