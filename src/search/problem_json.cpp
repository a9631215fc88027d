#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "search/problem.h"

namespace cleave::search {

namespace {

const std::vector<std::string> kResultAtNames = {"edge", "cloud", "anywhere"};

int read_bits(JsonReader& reader) {
  const std::int64_t bits = reader.integer("bits");
  if (bits < 0 || bits > 64) {
    throw Error(ErrorKind::kInvalidInput, reader.path_of("bits") + ": must be 0 to 64, not " + std::to_string(bits));
  }
  return static_cast<int>(bits);
}

ActivationOption read_option(JsonReader& reader, const ActivationOption*) {
  return {read_bits(reader), reader.number("distortion")};
}
WireOption read_option(JsonReader& reader, const WireOption*) {
  return {read_bits(reader), reader.integer("bytes"), reader.number("distortion")};
}
WeightOption read_option(JsonReader& reader, const WeightOption*) {
  return {read_bits(reader), reader.integer("bytes"), reader.number("distortion")};
}

template <typename Option>
std::vector<Option> read_options(JsonReader& reader, const std::string& key) {
  std::vector<Option> options;
  for (JsonReader& item : reader.objects(key)) {
    options.push_back(read_option(item, static_cast<const Option*>(nullptr)));
    item.finish();
  }
  return options;
}

int bits_key(const std::string& key, const std::string& where) {
  const auto bits = parse_integer(key);
  if (!bits || *bits < 0 || *bits > 64 || std::to_string(*bits) != key) {
    throw Error(ErrorKind::kInvalidInput, where + ": '" + key + "' is not a bit-width");
  }
  return static_cast<int>(*bits);
}

std::map<int, std::map<int, double>> read_edge_seconds(JsonReader& reader) {
  std::map<int, std::map<int, double>> table;
  if (!reader.has("edge_s")) return table;
  JsonReader rows = reader.object("edge_s");
  if (rows.json().empty()) {
    throw Error(ErrorKind::kInvalidInput, reader.path_of("edge_s") + ": has no row",
                "Leave edge_s out for a unit that cannot run on the edge.");
  }
  for (const auto& [weight, ignored] : rows.json().items()) {
    JsonReader row = rows.object(weight);
    auto& seconds = table[bits_key(weight, rows.where())];
    for (const auto& [activation, number] : row.json().items()) {
      seconds[bits_key(activation, row.where())] = row.number(activation);
    }
  }
  return table;
}

/// Tensor names to positions; the list is filled in schedule order, so that positions do not depend on names.
class TensorNames {
 public:
  TensorNames(const Json& tensors, std::string where) : where_(std::move(where)) {
    for (const auto& [name, ignored] : tensors.items()) known_.push_back(name);
  }
  /// The position of a tensor, given on first mention.
  int position(const std::string& name, const std::string& place) {
    const auto found = positions_.find(name);
    if (found != positions_.end()) return found->second;
    if (!std::binary_search(known_.begin(), known_.end(), name)) {
      throw Error(ErrorKind::kInvalidInput, place + ": unknown tensor '" + name + "'" + did_you_mean(name, known_));
    }
    order_.push_back(name);
    return positions_[name] = static_cast<int>(order_.size()) - 1;
  }
  std::vector<int> positions(const std::vector<std::string>& names, const std::string& place) {
    std::vector<int> result;
    for (const std::string& name : names) result.push_back(position(name, place));
    return result;
  }
  /// Names by position; tensors that nobody mentioned come last (and are refused later).
  std::vector<std::string> ordered() {
    for (const std::string& name : known_) position(name, where_);
    return order_;
  }

 private:
  std::string where_;
  std::vector<std::string> known_;
  std::map<std::string, int> positions_;
  std::vector<std::string> order_;
};

ProblemTensor read_tensor(const std::string& name, JsonReader reader) {
  ProblemTensor tensor;
  tensor.name = name;
  tensor.elements = reader.integer("elements");
  tensor.activation = read_options<ActivationOption>(reader, "activation");
  tensor.wire = read_options<WireOption>(reader, "wire");
  reader.finish();
  return tensor;
}

ProblemUnit read_unit(JsonReader& reader, TensorNames& names) {
  ProblemUnit unit;
  unit.name = reader.text("name");
  unit.inputs = names.positions(reader.texts("inputs"), reader.path_of("inputs"));
  unit.outputs = names.positions(reader.texts("outputs"), reader.path_of("outputs"));
  unit.weight = read_options<WeightOption>(reader, "weight");
  unit.edge_s = read_edge_seconds(reader);
  if (reader.has("cloud_s")) unit.cloud_s = reader.number("cloud_s");
  reader.finish();
  return unit;
}

ResultAt read_result_at(JsonReader& reader) {
  const std::string name = reader.text("result_at");
  for (std::size_t i = 0; i < kResultAtNames.size(); ++i) {
    if (kResultAtNames[i] == name) return static_cast<ResultAt>(i);
  }
  throw Error(ErrorKind::kInvalidInput, reader.path_of("result_at") + ": '" + name +
                                            "' is not edge, cloud or anywhere" + did_you_mean(name, kResultAtNames));
}

ProblemLink read_link(JsonReader reader) {
  ProblemLink link;
  link.bytes_per_s = reader.number("bytes_per_s");
  link.rtt_s = reader.number("rtt_s");
  link.header_bytes = reader.number("header_bytes");
  link.download_bytes_per_s = reader.number("download_bytes_per_s");
  link.result_bytes = reader.number("result_bytes");
  reader.finish();
  return link;
}

Limits read_limits(JsonReader reader) {
  Limits limits;
  if (reader.has("edge_memory_bytes")) limits.edge_memory_bytes = reader.integer("edge_memory_bytes");
  if (reader.has("weight_bytes")) limits.weight_bytes = reader.integer("weight_bytes");
  if (reader.has("activation_bytes")) limits.activation_bytes = reader.integer("activation_bytes");
  if (reader.has("distortion")) limits.distortion = reader.number("distortion");
  reader.finish();
  return limits;
}

Json option_json(const ActivationOption& o) {
  return {{"bits", o.bits}, {"distortion", o.distortion}};
}
template <typename Option>
Json option_json(const Option& o) {
  return {{"bits", o.bits}, {"bytes", o.bytes}, {"distortion", o.distortion}};
}

template <typename Option>
Json options_json(const std::vector<Option>& options) {
  Json list = Json::array();
  for (const Option& option : options) list.push_back(option_json(option));
  return list;
}

Json names_json(const Problem& problem, const std::vector<int>& tensors) {
  Json list = Json::array();
  for (const int t : tensors) list.push_back(problem.tensors[static_cast<std::size_t>(t)].name);
  return list;
}

Json unit_json(const Problem& problem, const ProblemUnit& unit) {
  Json json = {{"name", unit.name},
               {"inputs", names_json(problem, unit.inputs)},
               {"outputs", names_json(problem, unit.outputs)},
               {"weight", options_json(unit.weight)}};
  for (const auto& [weight, row] : unit.edge_s) {
    Json seconds = Json::object();
    for (const auto& [activation, value] : row) seconds[std::to_string(activation)] = value;
    json["edge_s"][std::to_string(weight)] = std::move(seconds);
  }
  if (unit.cloud_s) json["cloud_s"] = *unit.cloud_s;
  return json;
}

Json link_json(const ProblemLink& link) {
  return {{"bytes_per_s", link.bytes_per_s},
          {"rtt_s", link.rtt_s},
          {"header_bytes", link.header_bytes},
          {"download_bytes_per_s", link.download_bytes_per_s},
          {"result_bytes", link.result_bytes}};
}

Json limits_json(const Limits& limits) {
  Json json = Json::object();
  if (limits.edge_memory_bytes) json["edge_memory_bytes"] = *limits.edge_memory_bytes;
  if (limits.weight_bytes) json["weight_bytes"] = *limits.weight_bytes;
  if (limits.activation_bytes) json["activation_bytes"] = *limits.activation_bytes;
  if (limits.distortion) json["distortion"] = *limits.distortion;
  return json;
}

}  // namespace

Problem Problem::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("problem");
  JsonReader tensors = reader.object("tensors");
  TensorNames names(tensors.json(), tensors.where());
  Problem problem;
  problem.inputs = names.positions(reader.texts("inputs"), reader.path_of("inputs"));
  for (JsonReader& unit : reader.objects("units")) problem.units.push_back(read_unit(unit, names));
  problem.outputs = names.positions(reader.texts("outputs"), reader.path_of("outputs"));
  for (const std::string& name : names.ordered()) problem.tensors.push_back(read_tensor(name, tensors.object(name)));
  problem.result_at = read_result_at(reader);
  problem.link = read_link(reader.object("link"));
  problem.limits = read_limits(reader.object("limits"));
  reader.finish();
  try {
    problem.finish();
  } catch (const Error& error) {
    throw error.within(origin);
  }
  return problem;
}

Json Problem::to_json() const {
  Json json = make_document("problem");
  json["tensors"] = Json::object();
  for (const ProblemTensor& tensor : tensors) {
    json["tensors"][tensor.name] = {{"elements", tensor.elements},
                                    {"activation", options_json(tensor.activation)},
                                    {"wire", options_json(tensor.wire)}};
  }
  json["units"] = Json::array();
  for (const ProblemUnit& unit : units) json["units"].push_back(unit_json(*this, unit));
  json["inputs"] = names_json(*this, inputs);
  json["outputs"] = names_json(*this, outputs);
  json["result_at"] = kResultAtNames[static_cast<std::size_t>(result_at)];
  json["link"] = link_json(link);
  json["limits"] = limits_json(limits);
  return json;
}

}  // namespace cleave::search
