/// How well cheap numbers predict the accuracy of mixed bit-widths.
///
/// Draws mixed plans (bits of every unit's weights and of every activation from 2, 3, 4, 5, 6, 8, around a mean that
/// goes evenly from one plan to the next), evaluates each on labelled images, and gives Spearman's rank correlation of
/// each proxy with the drop of top-1 and with the divergence from the float network's outputs. Prints one line of
/// JSON per plan and a table.
///
///     sensitivity_study MODEL CALIBRATION SENSITIVITY LABELS PREPROCESS PLANS IMAGES LEAST_BITS MOST_BITS
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "calibration/images.h"
#include "core/error.h"
#include "core/parallel.h"
#include "evaluation/evaluate.h"
#include "exec/rounding.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "quant/calibration_table.h"
#include "quant/clip.h"
#include "tune/output_loss.h"
#include "tune/part.h"
#include "tune/sample_stream.h"
#include "tune/sensitivity_table.h"

namespace {

using namespace cleave;

constexpr int kBits[] = {2, 3, 4, 5, 6, 8};
constexpr int kInputBits = 8;
constexpr double kSpread = 1.2;  // of the bits around a plan's mean
constexpr double kLeastDamage = 1e-9;

struct Labelled {
  std::vector<Tensor> inputs;
  std::vector<std::int64_t> labels;
};

Labelled load(const std::string& labels_file, const std::string& preprocess, std::int64_t count, const Shape& shape) {
  auto images = calibration::ImageSet::open(labels_file);
  images.spread(count);
  const auto labels = evaluation::read_labels(labels_file);
  const auto block = calibration::Preprocess::find(preprocess);
  Labelled set{std::vector<Tensor>(images.paths().size()), {}};
  for (const std::string& path : images.paths()) {
    set.labels.push_back(labels.at(std::filesystem::weakly_canonical(images.root() / path)));
  }
  parallel_for(static_cast<std::int64_t>(images.paths().size()), 0, [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    set.inputs[at] = calibration::load_sample(images.root() / images.paths()[at], block, shape, false).input;
  });
  return set;
}

/// Something that a plan gives bits to: what its bit-widths cost by either measure.
struct Thing {
  std::string name;
  bool is_weight = false;
  std::map<int, double> mse;
  std::map<int, double> damage;
};

std::vector<Thing> things_of(const graph::Graph& graph, const tune::SensitivityTable& table) {
  std::vector<Thing> things;
  const auto add = [&](bool is_weight, const tune::SensitivityRow& row) {
    if (things.empty() || things.back().name != row.name || things.back().is_weight != is_weight) {
      things.push_back({row.name, is_weight, {}, {}});
    }
    things.back().mse[row.bits] = row.mse_ratio;
    things.back().damage[row.bits] = table.damage(row);
  };
  for (const tune::SensitivityRow& row : table.weights) add(true, row);
  for (const tune::SensitivityRow& row : table.activations) {
    const auto id = graph.find(row.name);
    if (!graph.is_input(*id) && !graph.consumers(*id).empty()) add(false, row);
  }
  return things;
}

class Study {
 public:
  Study(const graph::Graph& graph, const quant::CalibrationTable& table, const tune::SensitivityTable& sensitivity,
        const Labelled& set)
      : graph_(graph), table_(table), things_(things_of(graph, sensitivity)), set_(set) {
    const auto& input = graph.tensor(graph.inputs()[0]).name;
    input_ = quant::choose_activation(table.tensor(input).activation_values(), quant::Bits{kInputBits},
                                      quant::ClipMethod::kAuto)
                 .quantizer;
    float_ = run({}, nullptr);
  }

  double float_accuracy() const { return float_.accuracy; }

  Json evaluate(double mean_bits, std::mt19937& engine) {
    std::vector<int> bits;
    for (std::size_t i = 0; i < things_.size(); ++i) bits.push_back(draw(mean_bits, engine));
    const Result result = run(spec_of(bits), &float_.outputs);
    Json row = proxies(bits);
    row["drop"] = float_.accuracy - result.accuracy;
    row["kl"] = result.damage;
    return row;
  }

 private:
  struct Result {
    double accuracy = 0;
    double damage = 0;
    std::vector<std::vector<Tensor>> outputs;
  };

  static int draw(double mean_bits, std::mt19937& engine) {
    double weights[std::size(kBits)];
    for (std::size_t i = 0; i < std::size(kBits); ++i) {
      const double d = (kBits[i] - mean_bits) / kSpread;
      weights[i] = std::exp(-d * d / 2);
    }
    double left = std::uniform_real_distribution<double>(0, std::accumulate(weights, std::end(weights), 0.0))(engine);
    std::size_t i = 0;
    while (i + 1 < std::size(kBits) && left > weights[i]) left -= weights[i++];
    return kBits[i];
  }

  exec::QuantizationSpec spec_of(const std::vector<int>& bits) {
    exec::QuantizationSpec spec;
    spec.edge = graph::Cut::all(graph_);
    spec.activations[graph_.tensor(graph_.inputs()[0]).name] = input_;
    std::map<std::string, int> weight_bits;
    for (std::size_t i = 0; i < things_.size(); ++i) {
      const std::string& name = things_[i].name;
      if (things_[i].is_weight) {
        weight_bits[name] = bits[i];
      } else {
        spec.activations[name] = activation_grid(name, bits[i]);
      }
    }
    for (const graph::Unit& unit : graph_.units()) {
      if (weight_bits.contains(unit.name)) spec.weights[unit.name] = weight_grid(unit, weight_bits.at(unit.name));
    }
    return spec;
  }

  const quant::AffineQuantizer& activation_grid(const std::string& name, int bits) {
    const auto [found, is_new] = activation_grids_.try_emplace({name, bits});
    if (is_new) {
      found->second =
          quant::choose_activation(table_.tensor(name).activation_values(), quant::Bits{bits}, quant::ClipMethod::kAuto)
              .quantizer;
    }
    return found->second;
  }

  const quant::WeightQuantizer& weight_grid(const graph::Unit& unit, int bits) {
    const auto [found, is_new] = weight_grids_.try_emplace({unit.name, bits});
    if (is_new) {
      found->second = quant::choose_weights(*graph_.constant(unit.weight), unit.weight_axis, quant::Bits{bits},
                                            quant::ClipMethod::kAuto)
                          .quantizer;
    }
    return found->second;
  }

  Result run(const exec::QuantizationSpec& spec, const std::vector<std::vector<Tensor>>* reference) const {
    const tune::SampleStream stream(graph_, set_.inputs, spec.activations, 0);
    tune::Part part(exec::with_rounded_weights(graph_, spec), {0, graph_.units().size()}, spec.activations,
                    stream.workers());
    Result result;
    result.outputs = stream.outputs_of(part);
    for (std::size_t i = 0; i < stream.size(); ++i) {
      const auto scores = result.outputs[i][0].data<float>();
      const auto top = std::max_element(scores.begin(), scores.end()) - scores.begin();
      result.accuracy += top == set_.labels[i] ? 1 : 0;
      if (reference != nullptr) result.damage += tune::output_damage((*reference)[i], result.outputs[i]);
    }
    result.accuracy /= static_cast<double>(stream.size());
    result.damage /= static_cast<double>(stream.size());
    return result;
  }

  Json proxies(const std::vector<int>& bits) const {
    double mse = 0, sqrt_mse = 0, log_mse = 0, worst_mse = 0;
    double damage = 0, sqrt_damage = 0, log_damage = 0, worst_damage = 0, all_bits = 0;
    for (std::size_t i = 0; i < things_.size(); ++i) {
      const double m = things_[i].mse.at(bits[i]);
      const double d = things_[i].damage.at(bits[i]);
      mse += m;
      sqrt_mse += std::sqrt(m);
      log_mse += std::log(std::max(m, kLeastDamage));
      worst_mse = std::max(worst_mse, m);
      damage += d;
      sqrt_damage += std::sqrt(d);
      log_damage += std::log(std::max(d, kLeastDamage));
      worst_damage = std::max(worst_damage, d);
      all_bits += bits[i];
    }
    return {{"proxies",
             {{"sum of relative MSE", mse},
              {"sum of sqrt(relative MSE)", sqrt_mse},
              {"sum of log(relative MSE)", log_mse},
              {"worst SQNR", worst_mse},
              {"sum of output damage", damage},
              {"sum of sqrt(output damage)", sqrt_damage},
              {"sum of log(output damage)", log_damage},
              {"worst output damage", worst_damage},
              {"mean bits", -all_bits / static_cast<double>(bits.size())}}}};
  }

  const graph::Graph& graph_;
  const quant::CalibrationTable& table_;
  std::vector<Thing> things_;
  const Labelled& set_;
  quant::AffineQuantizer input_;
  std::map<std::pair<std::string, int>, quant::AffineQuantizer> activation_grids_;
  std::map<std::pair<std::string, int>, quant::WeightQuantizer> weight_grids_;
  Result float_;
};

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<double> all;
  for (const double x : values) {
    const auto below = std::count_if(values.begin(), values.end(), [x](double y) { return y < x; });
    const auto equal = std::count(values.begin(), values.end(), x);
    all.push_back(static_cast<double>(below) + (static_cast<double>(equal) + 1) / 2);
  }
  return all;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks(a);
  const std::vector<double> y = ranks(b);
  const double mean = (static_cast<double>(x.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

std::vector<double> column(const std::vector<Json>& rows, const std::function<const Json&(const Json&)>& value) {
  std::vector<double> values;
  for (const Json& row : rows) values.push_back(value(row).get<double>());
  return values;
}

void print_table(const std::vector<Json>& rows) {
  const auto drops = column(rows, [](const Json& row) -> const Json& { return row["drop"]; });
  const auto kls = column(rows, [](const Json& row) -> const Json& { return row["kl"]; });
  std::printf("| proxy | with the drop of top-1 | with the divergence |\n|---|---|---|\n");
  for (const auto& entry : rows.front()["proxies"].items()) {
    const std::string name = entry.key();
    const auto proxy = column(rows, [&name](const Json& row) -> const Json& { return row["proxies"][name]; });
    std::printf("| %s | %.3f | %.3f |\n", name.c_str(), spearman(proxy, drops), spearman(proxy, kls));
  }
}

int study(const std::vector<std::string>& arguments) {
  const graph::Graph graph = graph::prepare(graph::Model::load(arguments[0]));
  const auto table = quant::CalibrationTable::load(arguments[1]);
  const auto sensitivity = tune::SensitivityTable::load(arguments[2], graph);
  const Labelled set =
      load(arguments[3], arguments[4], std::stoll(arguments[6]), graph.tensor(graph.inputs()[0]).shape);
  Study run(graph, table, sensitivity, set);
  std::printf("float top-1 %.4f on %zu images\n", run.float_accuracy(), set.labels.size());
  const int plans = std::stoi(arguments[5]);
  const double least = std::stod(arguments[7]);
  const double most = std::stod(arguments[8]);
  std::mt19937 engine(1);
  std::vector<Json> rows;
  for (int p = 0; p < plans; ++p) {
    rows.push_back(run.evaluate(least + (most - least) * p / std::max(plans - 1, 1), engine));
    std::cout << rows.back().dump() << std::endl;
  }
  print_table(rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 10) {
    std::fprintf(stderr,
                 "usage: %s MODEL CALIBRATION SENSITIVITY LABELS PREPROCESS PLANS IMAGES LEAST_BITS MOST_BITS\n",
                 argv[0]);
    return 2;
  }
  try {
    return study({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
