#include "unit/search/small_problems.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "core/json.h"
#include "support/shared.h"

namespace cleave::search::testing {

namespace {

ProblemTensor tensor(const std::string& name, std::int64_t elements, std::vector<ActivationOption> activation,
                     std::vector<WireOption> wire) {
  ProblemTensor result;
  result.name = name;
  result.elements = elements;
  result.activation = std::move(activation);
  result.wire = std::move(wire);
  return result;
}

ProblemUnit unit(const std::string& name, std::vector<int> inputs, std::vector<int> outputs,
                 std::vector<WeightOption> weight) {
  ProblemUnit result;
  result.name = name;
  result.inputs = std::move(inputs);
  result.outputs = std::move(outputs);
  result.weight = std::move(weight);
  return result;
}

}  // namespace

Problem one_unit_problem() {
  Problem p;
  p.tensors = {tensor("x", 10, {{8, 0.01}}, {{8, 10, 0.01}}),
               tensor("y", 4, {{4, 0.2}, {8, 0.02}}, {{4, 2, 0.2}, {8, 4, 0.02}})};
  p.units = {unit("conv", {0}, {1}, {{2, 5, 0.5}, {8, 20, 0.05}})};
  p.units[0].edge_s = {{2, {{8, 6.0}}}, {8, {{8, 9.0}}}};
  p.units[0].cloud_s = 1.0;
  p.inputs = {0};
  p.outputs = {1};
  p.link = {2.0, 0.5, 3.0, 4.0, 16.0};
  p.finish();
  return p;
}

Problem residual_problem() {
  Problem p;
  p.tensors = {tensor("x", 16, {{8, 0.0}}, {{8, 16, 0.0}}),
               tensor("t", 8, {{4, 0.1}, {8, 0.01}}, {{4, 4, 0.1}, {8, 8, 0.01}}),
               tensor("u", 8, {{4, 0.1}, {8, 0.01}}, {{4, 4, 0.1}, {8, 8, 0.01}}),
               tensor("y", 2, {{4, 0.1}, {8, 0.01}}, {{4, 1, 0.1}, {8, 2, 0.01}})};
  p.units = {unit("a", {0}, {1}, {{8, 12, 0.0}}), unit("b", {1}, {2}, {{4, 6, 0.3}, {8, 12, 0.03}}),
             unit("add", {1, 2}, {3}, {{0, 0, 0}})};
  p.units[0].edge_s = {{8, {{8, 2.0}}}};
  p.units[1].edge_s = {{4, {{4, 1.0}, {8, 1.5}}}, {8, {{4, 2.0}, {8, 3.0}}}};
  p.units[2].edge_s = {{0, {{4, 0.25}, {8, 0.5}}}};
  for (ProblemUnit& u : p.units) u.cloud_s = 0.125;
  p.inputs = {0};
  p.outputs = {3};
  p.link = {1.0, 1.0, 0.0, 1.0, 1.0};
  p.finish();
  return p;
}

namespace {

/// Draws without std distributions: their results differ between standard libraries.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  int upto(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  bool once_in(int n) { return upto(n) == 0; }
  /// A multiple of 1/16, so that sums are exact and ties are true ties.
  double amount(int most) { return upto(most * 16 + 1) / 16.0; }

 private:
  std::mt19937_64 engine_;
};

class RandomProblem {
 public:
  explicit RandomProblem(std::uint64_t seed) : dice_(seed) {}

  Problem make() {
    const int inputs = 1 + (dice_.once_in(4) ? 1 : 0);
    for (int i = 0; i < inputs; ++i) p_.inputs.push_back(add_tensor(true));
    const int units = 1 + dice_.upto(6);
    const int shape = dice_.upto(3);
    for (int u = 0; u < units; ++u) add_unit(shape);
    choose_outputs();
    for (ProblemUnit& unit : p_.units) price(unit);
    p_.result_at = static_cast<ResultAt>(dice_.upto(3));
    p_.link = {1.0 + dice_.upto(8), dice_.amount(2), static_cast<double>(dice_.upto(3)), 1.0 + dice_.upto(4),
               static_cast<double>(dice_.upto(9))};
    choose_limits();
    p_.finish();
    return p_;
  }

 private:
  std::vector<int> some_bits(int most) {
    std::vector<int> all = {2, 4, 8};
    const int count = 1 + dice_.upto(most);
    while (static_cast<int>(all.size()) > count) all.erase(all.begin() + dice_.upto(static_cast<int>(all.size())));
    return all;
  }
  /// Mostly less for more bits, sometimes not, sometimes 0.
  double distortion(int bits) { return dice_.once_in(6) ? 0 : dice_.amount(1) + (dice_.once_in(5) ? 0 : 2.0 / bits); }

  int add_tensor(bool input) {
    ProblemTensor t;
    t.name = "t" + std::to_string(100 - static_cast<int>(p_.tensors.size()));
    t.elements = dice_.upto(20);
    if (!dice_.once_in(25)) {
      for (const int bits : input ? std::vector<int>{8} : some_bits(3))
        t.activation.push_back({bits, distortion(bits)});
    }
    if (!dice_.once_in(12)) {
      for (const int bits : some_bits(input ? 1 : 3)) {
        t.wire.push_back({bits, (t.elements * bits + 7) / 8 + (dice_.once_in(6) ? 1 : 0), distortion(bits)});
      }
    }
    p_.tensors.push_back(t);
    return static_cast<int>(p_.tensors.size()) - 1;
  }

  /// shape 0: a chain; 1: a chain with skips; 2: anything before it, at times nothing or twice the same.
  void add_unit(int shape) {
    const int made = static_cast<int>(p_.tensors.size());
    std::vector<int> inputs = {shape == 2 ? dice_.upto(made) : made - 1};
    if (shape > 0 && dice_.once_in(2)) inputs.push_back(dice_.upto(made));
    if (shape == 2 && dice_.once_in(10)) inputs.clear();
    ProblemUnit u;
    u.name = "u" + std::to_string(p_.units.size());
    u.inputs = inputs;
    u.outputs = {add_tensor(false)};
    if (dice_.once_in(8)) u.outputs.push_back(add_tensor(false));
    p_.units.push_back(u);
  }

  void choose_outputs() {
    const int last = static_cast<int>(p_.tensors.size()) - 1;
    p_.outputs = {last};
    const int other = dice_.upto(last + 1);
    if (dice_.once_in(3) && other != last) p_.outputs.push_back(other);
  }

  void price(ProblemUnit& unit) {
    if (dice_.once_in(3)) {
      unit.weight = {{0, 0, 0}};
    } else {
      const int elements = 1 + dice_.upto(12);
      for (const int bits : some_bits(2)) unit.weight.push_back({bits, (elements * bits + 7) / 8, distortion(bits)});
    }
    const bool flat = dice_.once_in(3);
    const double seconds = dice_.amount(3);
    for (const WeightOption& w : unit.weight) {
      for (const int a : {2, 4, 8}) unit.edge_s[w.bits][a] = flat ? seconds : seconds + dice_.amount(1);
    }
    unit.cloud_s = dice_.amount(1);
    if (dice_.once_in(12)) unit.edge_s.clear();
    if (dice_.once_in(12)) unit.cloud_s.reset();
  }

  void choose_limits() {
    if (dice_.once_in(3)) p_.limits.edge_memory_bytes = dice_.upto(60);
    if (dice_.once_in(4)) p_.limits.weight_bytes = dice_.upto(30);
    if (dice_.once_in(4)) p_.limits.activation_bytes = dice_.upto(30);
    if (dice_.once_in(2)) p_.limits.distortion = dice_.once_in(5) ? 0 : dice_.amount(6);
  }

  Dice dice_;
  Problem p_;
};

}  // namespace

Problem random_problem(std::uint64_t seed) {
  return RandomProblem(seed).make();
}

std::vector<Instance> instances() {
  const std::filesystem::path folder = cleave::testing::source_dir() / "tests" / "instances";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Instance> result;
  for (const std::filesystem::path& file : files) {
    Instance instance;
    instance.name = file.stem().string();
    instance.problem = Problem::from_json(read_json(file), file.string());
    const std::filesystem::path beside = std::filesystem::path(file).replace_extension(".optimum");
    const Json json = read_json(beside);
    JsonReader optimum(json, beside.string());
    optimum.ignore("about");
    instance.status = optimum.text("status");
    instance.latency_s = optimum.number_or("latency_s", 0);
    if (optimum.has("edge_units")) instance.edge_units = optimum.texts("edge_units");
    optimum.finish();
    result.push_back(std::move(instance));
  }
  return result;
}

}  // namespace cleave::search::testing
