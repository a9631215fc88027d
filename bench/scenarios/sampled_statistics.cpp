/// What it costs a clip that histograms are made of a sample of the values.
///
///     bench_sampling IMAGES PREPROCESS COUNT MODEL...
///
/// COUNT images run through each network; every tensor's quantizer of least squared error is chosen once from all
/// values and once from the sample, and both are measured on all values: the loss of the second in dB.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "calibration/images.h"
#include "calibration/statistics.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "quant/clip.h"

namespace cleave::calibration {
namespace {

using Statistics = std::map<std::string, quant::TensorStatistics>;

/// Shows an activation to two observers.
class Both : public exec::ActivationObserver {
 public:
  Both(const graph::Graph& graph, std::span<const graph::TensorId> taps)
      : all(graph, taps, HistogramValues::kAll), sample(graph, taps, HistogramValues::kSample) {}
  void observe(const exec::ActivationView& activation) override {
    all.observe(activation);
    sample.observe(activation);
  }
  StatisticsObserver all, sample;
};

struct Losses {
  double sum = 0, worst = 0;
  std::string where;
  int tensors = 0;
  void add(double loss_db, const std::string& name) {
    sum += loss_db;
    ++tensors;
    if (loss_db > worst) where = name;
    worst = std::max(worst, loss_db);
  }
};

Losses losses(const Statistics& all, const Statistics& sample, quant::Bits bits) {
  Losses result;
  for (const auto& [name, statistics] : all) {
    const quant::ActivationValues values = statistics.activation_values();
    if (values.values.empty() || values.values.mean_square() == 0) continue;
    const auto best = quant::choose_activation(values, bits, quant::ClipMethod::kMse);
    const auto sampled = quant::choose_activation(sample.at(name).activation_values(), bits, quant::ClipMethod::kMse);
    const double error = quant::affine_mse(values.values, sampled.quantizer);
    if (best.mse > 0) result.add(10 * std::log10(error / best.mse), name);
  }
  return result;
}

void compare(const std::string& file, ImageSet images, const Preprocess& preprocess, std::int64_t count) {
  const graph::Graph graph = graph::prepare(graph::Model::load(file));
  const std::vector<graph::TensorId> taps = calibration_taps(graph);
  const Shape shape = graph.tensor(graph.inputs()[0]).shape;
  exec::Session session(graph, {exec::Kernels::kFast, 1});
  Both both(graph, taps);
  std::vector<Tensor> outputs;
  images.limit(count);
  for (const std::string& path : images.paths()) {
    const Tensor input = load_sample(images.root() / path, preprocess, shape, false).input;
    both.sample.begin_image(stable_hash(path));
    session.run_into({&input, 1}, taps, both, outputs);
  }
  Statistics all, sample;
  both.all.move_into(all);
  both.sample.move_into(sample);
  std::printf("%s, %zu images\n", file.substr(file.find_last_of('/') + 1).c_str(), images.paths().size());
  for (const int bits : {2, 3, 4, 6, 8}) {
    const Losses found = losses(all, sample, quant::Bits{bits});
    std::printf("  %d bits: mean %.4f dB, worst %.4f dB (%s)\n", bits, found.sum / std::max(1, found.tensors),
                found.worst, found.where.c_str());
  }
}

}  // namespace
}  // namespace cleave::calibration

int main(int argc, char** argv) try {
  if (argc < 5) {
    std::fputs("bench_sampling IMAGES PREPROCESS COUNT MODEL...\n", stderr);
    return 2;
  }
  using namespace cleave::calibration;
  const ImageSet images = ImageSet::open(argv[1]);
  const Preprocess preprocess = Preprocess::find(argv[2]);
  for (int i = 4; i < argc; ++i) compare(argv[i], images, preprocess, std::atoll(argv[3]));
  return 0;
} catch (const cleave::Error& error) {
  std::fprintf(stderr, "bench_sampling: %s\n", error.what());
  return 1;
}
