#include "evaluation/measure_sensitivity.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/fingerprint.h"
#include "core/parallel.h"

namespace cleave::evaluation {

using tune::SensitivityTable;

namespace {

std::vector<std::string> by_hash(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    const std::uint64_t first = stable_hash(a);
    const std::uint64_t second = stable_hash(b);
    return first != second ? first < second : a < b;
  });
  return paths;
}

/// Samples of one chunk with what the table says about their images.
struct Samples {
  std::vector<Tensor> inputs;
  std::vector<tune::SensitivityImage> images;
};

Samples load(const std::filesystem::path& root, std::span<const std::string> paths, const SensitivityRun& run,
             const Shape& shape) {
  Samples samples{std::vector<Tensor>(paths.size()), std::vector<tune::SensitivityImage>(paths.size())};
  parallel_for(static_cast<std::int64_t>(paths.size()), run.options.threads, [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    const std::string bytes = calibration::read_sample_file(root / paths[at]);
    try {
      samples.inputs[at] = calibration::decode_sample(bytes, paths[at], run.preprocess, shape, false).input;
    } catch (const Error& error) {
      throw error.within((root / paths[at]).string());
    }
    samples.images[at] = {paths[at], sha256_hex(bytes)};
  });
  return samples;
}

/// The table so far: what a checkpoint holds and what the meter has added since.
class SoFar {
 public:
  SoFar(const SensitivityTable& empty, const SensitivityRun& run, const std::vector<std::string>& paths) : run_(run) {
    before_ = empty;
    before_.shard_count = run.shard_count;
    before_.shards = {run.shard_index};
    if (!run.resume || !run.checkpoint || !std::filesystem::exists(*run.checkpoint)) return;
    const SensitivityTable saved = SensitivityTable::from_json(read_json(*run.checkpoint), run.checkpoint->string());
    require_same_run(saved, paths);
    before_ = saved;
  }

  bool has(const std::string& path) const {
    return std::any_of(before_.images.begin(), before_.images.end(),
                       [&path](const tune::SensitivityImage& image) { return image.path == path; });
  }

  void add_images(const std::vector<tune::SensitivityImage>& images) {
    added_.insert(added_.end(), images.begin(), images.end());
  }

  /// With the meter's sums: shards are those of the run, whichever part of it came first.
  SensitivityTable with(SensitivityTable added) const {
    added.images = added_;
    SensitivityTable all = before_;
    all.shard_count = 1;
    all = tune::merge(all, added);
    all.shard_count = before_.shard_count;
    all.shards = before_.shards;
    return all;
  }

 private:
  void require_same_run(const SensitivityTable& saved, const std::vector<std::string>& paths) const {
    const auto same_row = [](const tune::SensitivityRow& a, const tune::SensitivityRow& b) {
      return a.name == b.name && a.bits == b.bits;
    };
    const auto same_rows = [&](const auto& a, const auto& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_row);
    };
    const bool same = saved.made_from == before_.made_from && saved.clip == before_.clip &&
                      saved.shard_count == before_.shard_count && saved.shards == before_.shards &&
                      same_rows(saved.weights, before_.weights) && same_rows(saved.activations, before_.activations);
    const bool known = std::all_of(saved.images.begin(), saved.images.end(), [&](const auto& image) {
      return std::find(paths.begin(), paths.end(), image.path) != paths.end();
    });
    if (same && known) return;
    throw Error(ErrorKind::kStale, run_.checkpoint->string() + " is of another run", "Start without --resume.");
  }

  const SensitivityRun& run_;
  SensitivityTable before_;
  std::vector<tune::SensitivityImage> added_;
};

/// What the meter has measured, with how images became samples.
SensitivityTable measured(const tune::SensitivityMeter& meter, const SensitivityRun& run) {
  SensitivityTable table = meter.table();
  table.made_from["preprocess"] = json_fingerprint(run.preprocess.to_json());
  return table;
}

/// Progress of a chunk in images.
StageControl within_chunk(const StageControl& control, std::int64_t done, std::int64_t size, std::int64_t all) {
  StageControl inner;
  inner.stop = control.stop;
  inner.on_progress = [&control, done, size, all](const Progress& units) {
    control.report(done + size * units.done / std::max<std::int64_t>(units.total, 1), all);
  };
  return inner;
}

}  // namespace

SensitivityTable measure_sensitivity(const graph::Graph& graph, const quant::CalibrationTable& table,
                                     calibration::ImageSet images, const SensitivityRun& run,
                                     const StageControl& control) {
  tune::SensitivityMeter meter(graph, table, run.options);
  images.spread(run.samples > 0 ? run.samples : tune::affordable_samples(graph, run.options));
  images.shard(run.shard_index, run.shard_count);
  std::vector<std::string> paths = by_hash(images.paths());
  SoFar so_far(measured(meter, run), run, paths);
  const auto all = static_cast<std::int64_t>(paths.size());
  std::erase_if(paths, [&so_far](const std::string& path) { return so_far.has(path); });
  const Shape& shape = graph.tensor(graph.inputs()[0]).shape;

  std::span<const std::string> left(paths);
  while (!left.empty()) {
    const std::size_t size = std::min(left.size(), tune::kSensitivityChunk);
    const Samples samples = load(images.root(), left.first(size), run, shape);
    const auto done = all - static_cast<std::int64_t>(left.size());
    meter.add(samples.inputs, within_chunk(control, done, static_cast<std::int64_t>(size), all));
    so_far.add_images(samples.images);
    left = left.subspan(size);
    if (run.checkpoint) write_json(*run.checkpoint, so_far.with(measured(meter, run)).to_json());
    if (run.enough && run.enough()) break;
  }
  return so_far.with(measured(meter, run));
}

}  // namespace cleave::evaluation
