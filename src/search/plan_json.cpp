#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "search/plan.h"

namespace cleave::search {

namespace {

const std::vector<std::string> kStatusNames = {"optimal", "feasible", "infeasible", "out_of_time"};

bool answered(Status status) {
  return status == Status::kOptimal || status == Status::kFeasible;
}

Json unit_json(const PlanUnit& unit) {
  return {{"side", unit.on_edge ? "edge" : "cloud"},
          {"weight_bits", unit.weight_bits},
          {"activation_bits", unit.activation_bits},
          {"edge_ms", unit.edge_ms},
          {"cloud_ms", unit.cloud_ms}};
}

Json crossing_json(const PlanCrossing& c) {
  return {{"tensor", c.tensor}, {"bits", c.bits}, {"elements", c.elements}, {"bytes", c.bytes}};
}

Json cut_json(const Plan& plan) {
  Json crossing = Json::array();
  for (const PlanCrossing& c : plan.crossing) crossing.push_back(crossing_json(c));
  return {{"edge_units", plan.edge_units}, {"crossing", std::move(crossing)}};
}

Json baselines_json(const Plan& plan) {
  Json json = Json::object();
  for (const auto& [name, baseline] : plan.baselines) {
    json[name] = baseline ? Json{{"latency_ms", baseline->latency_ms}, {"detail", baseline->detail}} : Json(nullptr);
  }
  return json;
}

Status read_status(JsonReader& reader) {
  const std::string name = reader.text("status");
  const auto found = std::find(kStatusNames.begin(), kStatusNames.end(), name);
  if (found == kStatusNames.end()) {
    throw Error(ErrorKind::kInvalidInput, reader.path_of("status") + ": unknown status '" + name + "'");
  }
  return static_cast<Status>(found - kStatusNames.begin());
}

/// A number that is null in a plan without an answer.
double read_known(JsonReader& reader, const std::string& key, Status status) {
  if (answered(status)) return reader.number(key);
  reader.ignore(key);
  return 0;
}

int read_bits(JsonReader& reader, const std::string& key) {
  const std::int64_t bits = reader.integer(key);
  if (bits < 0 || bits > 64) {
    throw Error(ErrorKind::kInvalidInput, reader.path_of(key) + ": must be 0 to 64, not " + std::to_string(bits));
  }
  return static_cast<int>(bits);
}

PlanUnit read_unit(JsonReader reader) {
  PlanUnit unit;
  const std::string side = reader.text("side");
  if (side != "edge" && side != "cloud") {
    throw Error(ErrorKind::kInvalidInput, reader.path_of("side") + ": '" + side + "' is neither edge nor cloud");
  }
  unit.on_edge = side == "edge";
  unit.weight_bits = read_bits(reader, "weight_bits");
  unit.activation_bits = read_bits(reader, "activation_bits");
  unit.edge_ms = reader.number("edge_ms");
  unit.cloud_ms = reader.number("cloud_ms");
  reader.finish();
  return unit;
}

PlanCrossing read_crossing(JsonReader& reader) {
  PlanCrossing crossing;
  crossing.tensor = reader.text("tensor");
  crossing.bits = read_bits(reader, "bits");
  crossing.elements = reader.integer("elements");
  crossing.bytes = reader.integer("bytes");
  reader.finish();
  return crossing;
}

void read_costs(JsonReader& reader, Plan& plan) {
  plan.latency_ms = read_known(reader, "latency_ms", plan.status);
  plan.lower_bound_ms = read_known(reader, "lower_bound_ms", plan.status);
  plan.gap_ratio = read_known(reader, "gap_ratio", plan.status);
  JsonReader parts = reader.object("parts_ms");
  plan.edge_ms = parts.number("edge");
  plan.link_ms = parts.number("link");
  plan.cloud_ms = parts.number("cloud");
  parts.finish();
  JsonReader memory = reader.object("edge_memory_bytes");
  plan.weight_bytes = memory.integer("weights");
  plan.activation_bytes = memory.integer("activations_peak");
  memory.ignore("total");
  memory.finish();
  JsonReader wire = reader.object("wire_bytes");
  plan.wire_bytes_mean = wire.number("mean");
  plan.wire_bytes_p95 = wire.number("p95");
  wire.finish();
  plan.distortion = reader.number("distortion");
}

void read_cut(JsonReader& reader, Plan& plan) {
  JsonReader cut = reader.object("cut");
  plan.edge_units = cut.texts("edge_units");
  for (JsonReader& item : cut.objects("crossing")) plan.crossing.push_back(read_crossing(item));
  cut.finish();
  JsonReader units = reader.object("units");
  for (const auto& [name, ignored] : units.json().items()) plan.units[name] = read_unit(units.object(name));
  JsonReader bits = reader.object("activation_bits");
  for (const auto& [name, ignored] : bits.json().items()) plan.activation_bits[name] = read_bits(bits, name);
}

std::optional<PlanBaseline> read_baseline(JsonReader& reader, const std::string& name) {
  if (reader.at(name).is_null()) return std::nullopt;
  JsonReader row = reader.object(name);
  PlanBaseline baseline{row.number("latency_ms"), row.text_or("detail", "")};
  row.finish();
  return baseline;
}

void read_context(JsonReader& reader, Plan& plan) {
  JsonReader baselines = reader.object("baselines");
  for (const auto& [name, ignored] : baselines.json().items()) plan.baselines[name] = read_baseline(baselines, name);
  JsonReader made_from = reader.object("made_from");
  for (const auto& [name, ignored] : made_from.json().items()) plan.made_from[name] = made_from.text(name);
  if (!reader.has("infeasible")) return;
  JsonReader row = reader.object("infeasible");
  plan.infeasibility = Infeasibility{row.text("tightest"), row.number("needed"), row.number("allowed")};
  row.finish();
}

/// The list of edge units and the sides of the units must tell the same.
void check_sides(const Plan& plan, const std::string& origin) {
  for (const std::string& name : plan.edge_units) {
    const auto found = plan.units.find(name);
    if (found == plan.units.end() || !found->second.on_edge) {
      throw Error(ErrorKind::kInvalidInput, origin + ": cut: edge_units: '" + name + "' is no edge unit under 'units'");
    }
  }
  const auto on_edge =
      std::count_if(plan.units.begin(), plan.units.end(), [](const auto& entry) { return entry.second.on_edge; });
  if (static_cast<std::size_t>(on_edge) != plan.edge_units.size()) {
    throw Error(ErrorKind::kInvalidInput, origin + ": cut: edge_units does not list the edge units under 'units'");
  }
}

}  // namespace

Json Plan::to_json() const {
  const auto known = [this](double value) { return answered(status) ? Json(value) : Json(nullptr); };
  Json json = make_document("plan");
  json["status"] = kStatusNames[static_cast<std::size_t>(status)];
  json["solver"] = solver;
  json["seed"] = seed;
  json["clip"] = clip;
  json["proxy"] = proxy;
  json["result_at"] = result_at;
  json["latency_ms"] = known(latency_ms);
  json["lower_bound_ms"] = known(lower_bound_ms);
  json["gap_ratio"] = known(gap_ratio);
  json["parts_ms"] = {{"edge", edge_ms}, {"link", link_ms}, {"cloud", cloud_ms}};
  json["edge_memory_bytes"] = {
      {"weights", weight_bytes}, {"activations_peak", activation_bytes}, {"total", weight_bytes + activation_bytes}};
  json["wire_bytes"] = {{"mean", wire_bytes_mean}, {"p95", wire_bytes_p95}};
  json["distortion"] = distortion;
  json["cut"] = cut_json(*this);
  json["units"] = Json::object();
  for (const auto& [name, unit] : units) json["units"][name] = unit_json(unit);
  json["activation_bits"] = activation_bits;
  json["baselines"] = baselines_json(*this);
  json["made_from"] = made_from;
  if (infeasibility) {
    json["infeasible"] = {
        {"tightest", infeasibility->tightest}, {"needed", infeasibility->needed}, {"allowed", infeasibility->allowed}};
  }
  return json;
}

Plan Plan::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("plan");
  Plan plan;
  plan.status = read_status(reader);
  plan.solver = reader.text("solver");
  plan.seed = static_cast<std::uint64_t>(reader.integer_or("seed", 0));
  plan.clip = reader.text_or("clip", plan.clip);
  plan.proxy = reader.text_or("proxy", plan.proxy);
  plan.result_at = reader.text_or("result_at", plan.result_at);
  read_costs(reader, plan);
  read_cut(reader, plan);
  read_context(reader, plan);
  reader.finish();
  check_sides(plan, origin);
  return plan;
}

Plan Plan::load(const std::filesystem::path& path) {
  return from_json(read_json(path), path.string());
}

void Plan::save(const std::filesystem::path& path) const {
  write_json(path, to_json());
}

std::string Plan::fingerprint() const {
  return json_fingerprint(to_json());
}

}  // namespace cleave::search
