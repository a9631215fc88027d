/// What the statistics of calibration cost on top of the bare inference of the same images.
///
///     bench_calibration IMAGES PREPROCESS MODEL...
///
/// Each of 16 images is run bare, with taps that nobody looks at, and with statistics, in turns, 15 times on one
/// thread; the sums over the images of the fastest times are compared.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <vector>

#include "calibration/images.h"
#include "calibration/statistics.h"
#include "core/error.h"
#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"

namespace cleave::calibration {
namespace {

constexpr std::int64_t kImages = 16;
constexpr int kRounds = 15;

class Nobody : public exec::ActivationObserver {
 public:
  void observe(const exec::ActivationView&) override {}
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<Tensor> decoded(ImageSet images, const Preprocess& preprocess, const Shape& shape) {
  images.limit(kImages);
  std::vector<Tensor> samples;
  for (const std::string& path : images.paths()) {
    samples.push_back(load_sample(images.root() / path, preprocess, shape, false).input);
  }
  return samples;
}

void measure(const std::string& file, const ImageSet& images, const Preprocess& preprocess) {
  const graph::Graph graph = graph::prepare(graph::Model::load(file));
  const std::vector<Tensor> samples = decoded(images, preprocess, graph.tensor(graph.inputs()[0]).shape);
  const std::vector<graph::TensorId> taps = calibration_taps(graph);
  exec::Session bare(graph, {exec::Kernels::kFast, 1});
  exec::Session tapped(graph, {exec::Kernels::kFast, 1});
  Nobody nobody;
  StatisticsObserver observer(graph, taps);
  std::vector<Tensor> outputs;
  std::array<double, 3> sums{};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::span<const Tensor> input(&samples[i], 1);
    std::array<double, 3> best;
    best.fill(std::numeric_limits<double>::infinity());
    for (int round = 0; round < kRounds; ++round) {
      best[0] = std::min(best[0], seconds_of([&] { bare.run_into(input, outputs); }));
      best[1] = std::min(best[1], seconds_of([&] { tapped.run_into(input, taps, nobody, outputs); }));
      best[2] = std::min(best[2], seconds_of([&] { tapped.run_into(input, taps, observer, outputs); }));
    }
    for (std::size_t k = 0; k < best.size(); ++k) sums[k] += best[k];
  }
  const double scale = 1000.0 / static_cast<double>(samples.size());
  std::printf("%-44s %9.3f %9.3f %9.3f   %+6.1f %%  %+6.1f %%\n", file.substr(file.find_last_of('/') + 1).c_str(),
              sums[0] * scale, sums[1] * scale, sums[2] * scale, 100 * (sums[1] / sums[0] - 1),
              100 * (sums[2] / sums[0] - 1));
}

}  // namespace
}  // namespace cleave::calibration

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::fputs("bench_calibration IMAGES PREPROCESS MODEL...\n", stderr);
    return 2;
  }
  using namespace cleave::calibration;
  const ImageSet images = ImageSet::open(argv[1]);
  const Preprocess preprocess = Preprocess::find(argv[2]);
  std::printf("%-44s %9s %9s %9s   %8s  %8s\n", "ms per image, one thread", "bare", "tapped", "statist.", "tapped",
              "statist.");
  for (int i = 3; i < argc; ++i) measure(argv[i], images, preprocess);
  return 0;
} catch (const cleave::Error& error) {
  std::fprintf(stderr, "bench_calibration: %s\n", error.what());
  return 1;
}
