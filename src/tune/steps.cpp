#include "tune/steps.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::tune {

namespace {

constexpr std::array<StepRow, 9> kSteps = {{
    {Step::kEqualize, "equalize", "evens out the ranges of neighbouring layers' channels (cross-layer equalisation)",
     false},
    {Step::kLoosen, "loosen", "lets equalize scale channels that reach a Relu6's bound too (DFQ)", false},
    {Step::kLapq, "lapq", "chooses all steps together by the network's own loss (LAPQ)", false},
    {Step::kGrids, "grids", "fits each activation's grid to what the quantized network really computes", false},
    {Step::kGptq, "gptq", "rounds weights by the output they give (GPTQ)", true},
    {Step::kCompensate, "compensate", "moves weights before rounding to make up for the noise of rounded inputs", true},
    {Step::kAciq, "aciq", "gives plainly rounded weights their mean and spread back (ACIQ's weight correction)", false},
    {Step::kBias, "bias", "corrects biases by what quantization shifts", true},
    {Step::kRefine, "refine", "moves the steps of the rounded network by its own loss, codes kept", false},
}};

}  // namespace

std::span<const StepRow> tuning_steps() {
  return kSteps;
}

std::string_view step_name(Step step) {
  for (const StepRow& row : kSteps) {
    if (row.step == step) return row.name;
  }
  CLEAVE_CHECK(false, "every step stands in the table");
  return {};
}

Steps default_steps() {
  Steps steps;
  for (const StepRow& row : kSteps) {
    if (row.by_default) steps.insert(row.step);
  }
  return steps;
}

namespace {

Step step_from_name(const std::string& name) {
  std::vector<std::string> names{"default", "all", "none"};
  for (const StepRow& row : kSteps) {
    if (name == row.name) return row.step;
    names.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage, "unknown tuning step '" + name + "'" + did_you_mean(name, names),
              "One of: " + join_text(names, ", ") + "; with - in front to leave one out.");
}

}  // namespace

Steps steps_from_text(const std::string& text) {
  Steps steps;
  for (const std::string& raw : split_text(text, ',')) {
    const std::string word = trim_text(raw);
    if (word == "default") {
      steps.merge(default_steps());
    } else if (word == "all") {
      for (const StepRow& row : kSteps) steps.insert(row.step);
    } else if (word.starts_with("-")) {
      steps.erase(step_from_name(word.substr(1)));
    } else if (word != "none") {
      steps.insert(step_from_name(word.starts_with("+") ? word.substr(1) : word));
    }
  }
  if (steps.contains(Step::kLoosen) && !steps.contains(Step::kEqualize)) {
    throw Error(ErrorKind::kUsage, "the step 'loosen' does nothing without 'equalize'", "Ask for both, or for none.");
  }
  return steps;
}

std::string steps_text(const Steps& steps) {
  std::vector<std::string> names;
  for (const Step step : steps) names.emplace_back(step_name(step));
  return names.empty() ? "none" : join_text(names, ",");
}

}  // namespace cleave::tune
