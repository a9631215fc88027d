#include "cost/device_file.h"

#include <nlohmann/json.hpp>

namespace cleave::cost {

namespace {

Json file(const std::string& name, Json model, const Provenance& provenance) {
  Json document = make_document("device");
  document["name"] = name;
  document["model"] = std::move(model);
  document["compute_scaling"] = "none";
  document["float_bits"] = 32;
  document["provenance"] = {
      {"source", provenance.source}, {"confidence", provenance.confidence}, {"notes", provenance.notes}};
  return document;
}

}  // namespace

Json device_file(const std::string& name, const RooflineModel& model, const Provenance& provenance) {
  return file(name,
              {{"kind", "roofline"},
               {"macs_per_s", model.macs_per_s},
               {"float_macs_per_s", model.float_macs_per_s},
               {"vector_ops_per_s", model.vector_ops_per_s},
               {"bytes_per_s", model.bytes_per_s},
               {"overhead_s", model.overhead_s}},
              provenance);
}

Json device_file(const std::string& name, const TableModel& model, const Provenance& provenance) {
  return file(name, {{"kind", "table"}, {"unit_s", model.unit_s}}, provenance);
}

}  // namespace cleave::cost
