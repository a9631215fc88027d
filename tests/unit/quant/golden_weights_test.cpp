#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "golden.h"
#include "quant/clip.h"
#include "quant/lp_step.h"
#include "quant/rounding.h"

namespace cleave::quant {
namespace {

using testing::CodeChecksum;
using testing::golden;
using testing::golden_tensor;

/// One group of a golden record: the whole tensor or one output channel.
struct Group {
  std::vector<float> data;
  WeightedValues values;
};

std::vector<Group> groups_of(const Tensor& tensor, bool per_channel) {
  const auto all = tensor.data<float>();
  const std::size_t count = per_channel ? static_cast<std::size_t>(tensor.shape()[0]) : 1;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = all.subspan(i * (all.size() / count), all.size() / count);
    groups.push_back({{part.begin(), part.end()}, WeightedValues::exact(part)});
  }
  return groups;
}

StepChoice step_by(const std::string& method, const WeightedValues& values, const WeightGrid& grid, Bits bits) {
  if (method == "maxabs") {
    const double step = values.max_magnitude() == 0 ? 1 : values.max_magnitude() / grid.max_code;
    return {step, step_mse(values, step, grid)};
  }
  if (method == "aciq_laplace") return choose_step(values, grid, bits, ClipMethod::kAciqLaplace);
  if (method == "aciq_gauss") return choose_step(values, grid, bits, ClipMethod::kAciqGauss);
  return choose_step(values, grid, bits, ClipMethod::kMse);
}

std::vector<double> steps_of(const Json& method) {
  const Json& step = method.at("step");
  return step.is_array() ? step.get<std::vector<double>>() : std::vector<double>{step.get<double>()};
}

/// float32 codes, as a kernel computes them.
void add_codes(const std::vector<float>& data, double step, const WeightGrid& grid, CodeChecksum& checksum) {
  for (const float x : data) {
    const float code = clamped_code(x / static_cast<float>(step), static_cast<float>(grid.min_code),
                                    static_cast<float>(grid.max_code));
    checksum.add(static_cast<std::int32_t>(code));
  }
}

struct Record {
  std::string name;
  Bits bits;
  WeightGrid grid;
  const std::vector<Group>* groups;
};

void check_method(const Record& record, const std::string& method, const Json& expected) {
  SCOPED_TRACE(record.name + " " + method);
  const std::vector<double> steps = steps_of(expected);
  ASSERT_EQ(steps.size(), record.groups->size());
  CodeChecksum checksum;
  double squared_error = 0;
  double elements = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Group& group = (*record.groups)[i];
    const StepChoice choice = step_by(method, group.values, record.grid, record.bits);
    EXPECT_NEAR(choice.step, steps[i], 1e-6 * steps[i]) << "group " << i;
    add_codes(group.data, choice.step, record.grid, checksum);
    squared_error += choice.mse * group.values.total;
    elements += group.values.total;
  }
  const double mse = expected.at("mse");
  EXPECT_NEAR(squared_error / elements, mse, 1e-5 * mse);
  EXPECT_EQ(checksum.hex(), expected.at("codes_crc32").get<std::string>());
}

TEST(GoldenWeights, EveryRecordHasTheStepsErrorsAndCodesOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  std::map<std::string, std::vector<Group>> groups;
  const Json document = golden("weights_quant.json");
  ASSERT_EQ(document.at("records").size(), 280U);
  for (const Json& row : document.at("records")) {
    const auto tensor = row.at("tensor").get<std::string>();
    const bool per_channel = row.at("granularity") == "channel";
    const std::string key = tensor + (per_channel ? " per channel" : " per tensor");
    if (groups.count(key) == 0) groups[key] = groups_of(golden_tensor(tensor), per_channel);
    const WeightGrid grid{row.at("qmin").get<std::int32_t>(), row.at("qmax").get<std::int32_t>()};
    const Bits bits{row.at("bits").get<int>()};
    const Record record{key + ", " + std::to_string(bits.count) + " bits, " + row.at("range").get<std::string>(), bits,
                        grid, &groups[key]};
    for (const char* method : {"maxabs", "aciq_laplace", "aciq_gauss", "mse_opt"}) {
      check_method(record, method, row.at("methods").at(method));
    }
  }
}

/// Lp per output channel, and against the grid of OBC and GPTQ (80 ranges, p = 2.4) per tensor and channel.
TEST(GoldenWeights, LpStepsAreAtMostTheReferencesPerChannel) {
  CLEAVE_NEEDS_SHARED();
  std::map<std::string, std::vector<Group>> groups;
  const Json document = golden("weights_quant.json");
  int checked = 0;
  for (const Json& row : document.at("records")) {
    const auto tensor = row.at("tensor").get<std::string>();
    const bool per_channel = row.at("granularity") == "channel";
    const std::string key = tensor + (per_channel ? " per channel" : " per tensor");
    if (groups.count(key) == 0) groups[key] = groups_of(golden_tensor(tensor), per_channel);
    const WeightGrid grid{row.at("qmin").get<std::int32_t>(), row.at("qmax").get<std::int32_t>()};
    const Bits bits{row.at("bits").get<int>()};
    for (const auto& [method, expected] : row.at("methods").items()) {
      const bool is_grid = method == "obc_grid100_p2.4" && row.at("range") == "full";
      const bool is_lp = method.rfind("lp_", 0) == 0 && per_channel;
      if (!is_grid && !is_lp) continue;
      SCOPED_TRACE(key + " " + row.at("bits").dump() + " bits " + method);
      const double p = is_grid ? 2.4 : std::stod(method.substr(3));
      const std::vector<double> steps = steps_of(expected);
      const CodeLevels levels{-grid.min_code, grid.max_code};
      double least = 0;
      double found = 0;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        const WeightedValues& values = groups[key][i].values;
        least += lp_error(values, steps[i], levels, p) * values.total;
        found += lp_error(values, choose_step(values, grid, bits, ClipMethod::lp(p)).step, levels, p) * values.total;
      }
      EXPECT_LE(found, least * (1 + 1e-3));
      ++checked;
    }
  }
  EXPECT_EQ(checked, 308);  // 42 records with 4 exponents, 140 with the grid search
}

TEST(GoldenWeights, ExactStepIsNoWorseThanAnyMethodOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  std::map<std::string, std::vector<Group>> groups;
  const Json document = golden("weights_quant.json");
  ASSERT_EQ(document.at("records").size(), 280U);
  for (const Json& row : document.at("records")) {
    if (row.at("granularity") != "tensor") continue;
    const auto tensor = row.at("tensor").get<std::string>();
    if (groups.count(tensor) == 0) groups[tensor] = groups_of(golden_tensor(tensor), false);
    const WeightGrid grid{row.at("qmin").get<std::int32_t>(), row.at("qmax").get<std::int32_t>()};
    const double mse = mse_optimal_step(groups[tensor].front().values, grid).mse;
    for (const auto& [method, expected] : row.at("methods").items()) {
      if (method == "obc_grid100_p2.4" && row.at("range") == "narrow") continue;  // it is on the full grid always
      EXPECT_LE(mse, expected.at("mse").get<double>() * (1 + 1e-9)) << tensor << " " << row.at("bits") << " " << method;
    }
  }
}

}  // namespace
}  // namespace cleave::quant
