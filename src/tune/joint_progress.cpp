#include "tune/joint_progress.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json.h"

namespace cleave::tune {

namespace {

std::map<std::string, double> read_steps(JsonReader reader) {
  std::map<std::string, double> steps;
  for (const auto& entry : reader.json().items()) steps[entry.key()] = reader.number(entry.key());
  return steps;
}

}  // namespace

void save_progress(const std::filesystem::path& path, const JointProgress& progress, const std::string& identity) {
  Json document = make_document("tuning");
  document["identity"] = identity;
  document["step"] = step_name(progress.step);
  document["sweep"] = progress.state.sweep;
  document["unit"] = progress.state.unit;
  document["activations"] = progress.state.steps.activations;
  document["weights"] = progress.state.steps.weights;
  write_json(path, document);
}

JointProgress load_progress(const std::filesystem::path& path, const std::string& identity) {
  const Json document = read_json(path);
  JsonReader reader(document, path.string());
  reader.require_schema("tuning");
  if (reader.text("identity") != identity) {
    throw Error(ErrorKind::kStale, path.string() + " is of another network, other bits, samples or steps",
                "Start again without --resume.");
  }
  JointProgress progress;
  const Steps step = steps_from_text(reader.text("step"));
  if (step.size() != 1) throw Error(ErrorKind::kInvalidInput, reader.path_of("step") + ": must be one step");
  progress.step = *step.begin();
  progress.state.sweep = reader.integer("sweep");
  const std::int64_t unit = reader.integer("unit");
  if (progress.state.sweep < 0 || unit < 0) {
    throw Error(ErrorKind::kInvalidInput, path.string() + ": sweep and unit count from 0");
  }
  progress.state.unit = static_cast<std::size_t>(unit);
  progress.state.steps.activations = read_steps(reader.object("activations"));
  progress.state.steps.weights = read_steps(reader.object("weights"));
  reader.finish();
  return progress;
}

}  // namespace cleave::tune
