#include "calibration/hessians.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "calibration/calibrate.h"
#include "calibration/histogram_filler.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "core/json.h"
#include "core/parallel.h"
#include "exec/session.h"

namespace cleave::calibration {

namespace {

using graph::TensorId;

/// A unit whose input is looked at, with its sums; threads add to them in turn.
struct Collected {
  std::string unit;
  TensorId input = TensorId::kNone;
  tune::ColumnGeometry geometry;
  tune::StoredMoments moments;
  std::mutex mutex;
};

double largest_magnitude(const quant::TensorStatistics& seen) {
  if (seen.counts.finite() == 0) return 0;
  return std::max(std::abs(double{seen.counts.min}), std::abs(double{seen.counts.max}));
}

std::vector<std::unique_ptr<Collected>> collected_units(const graph::Graph& graph, const quant::CalibrationTable& table,
                                                        const HessianOptions& options) {
  std::vector<std::unique_ptr<Collected>> units;
  for (const graph::Unit& unit : graph.units()) {
    const auto geometry = tune::column_geometry(graph, unit);
    if (!geometry) continue;
    if (geometry->inputs() > tune::kMostStoredInputs) {
      if (options.on_warning) {
        options.on_warning("no Hessian of unit '" + unit.name + "': " + std::to_string(geometry->inputs()) +
                           " inputs, at most " + std::to_string(tune::kMostStoredInputs));
      }
      continue;
    }
    const TensorId input = graph.node(unit.main).inputs[0];
    const graph::TensorInfo& info = graph.tensor(input);
    const std::int64_t columns =
        element_count(info.shape) / geometry->sample_elements() * geometry->window.output_pixels();
    const std::int64_t all = columns * static_cast<std::int64_t>(table.images.size());
    const std::int64_t exponent = tune::moments_exponent(largest_magnitude(table.tensor(info.name)), all);
    units.push_back(std::make_unique<Collected>());
    Collected& made = *units.back();
    made.unit = unit.name;
    made.input = input;
    made.geometry = *geometry;
    made.moments = tune::StoredMoments::empty(*geometry, exponent);
  }
  return units;
}

/// The values in plain row-major order; `room` where they lie otherwise.
std::span<const float> plain_values(const exec::ActivationView& view, std::vector<float>& room) {
  const auto elements = static_cast<std::size_t>(element_count(view.shape));
  if (view.channel_block == 1) return {view.data, elements};
  const Extent extent = Extent::of(view.shape);
  const std::int64_t block = view.channel_block;
  const std::int64_t blocks = (extent.channels + block - 1) / block;
  room.resize(elements);
  float* out = room.data();
  for (std::int64_t n = 0; n < extent.batch; ++n) {
    for (std::int64_t c = 0; c < extent.channels; ++c) {
      const float* from = view.data + (n * blocks + c / block) * extent.spatial * block + c % block;
      for (std::int64_t i = 0; i < extent.spatial; ++i) *out++ = from[i * block];
    }
  }
  return room;
}

/// One thread's way through the network.
class Worker : public exec::ActivationObserver {
 public:
  Worker(const graph::Graph& graph, std::vector<std::unique_ptr<Collected>>& units)
      : units_(units), session_(graph, {exec::Kernels::kFast, 1}) {
    std::set<TensorId> distinct;
    for (const auto& unit : units) distinct.insert(unit->input);
    taps_.assign(distinct.begin(), distinct.end());
  }

  void run(const Tensor& input) { session_.run_into(std::span(&input, 1), taps_, *this, outputs_); }

  void observe(const exec::ActivationView& view) override {
    const std::span<const float> values = plain_values(view, room_);
    for (const auto& unit : units_) {
      if (unit->input != view.tensor) continue;
      products_.visit(unit->geometry, values, [&](const tune::ProductTile& tile) {
        const std::lock_guard lock(unit->mutex);
        unit->moments.add(tile);
      });
      const std::lock_guard lock(unit->mutex);
      unit->moments.columns += static_cast<std::int64_t>(values.size()) / unit->geometry.sample_elements() *
                               unit->geometry.window.output_pixels();
    }
  }

 private:
  std::vector<std::unique_ptr<Collected>>& units_;
  exec::Session session_;
  std::vector<TensorId> taps_;
  std::vector<Tensor> outputs_;
  std::vector<float> room_;
  tune::ColumnProducts products_{1};
};

/// The table's images that fall to this shard.
std::vector<quant::CalibrationImage> images_of_shard(const quant::CalibrationTable& table, ImageSet& images,
                                                     const HessianOptions& options) {
  const auto has = [&](const quant::CalibrationImage& image) {
    return std::binary_search(images.paths().begin(), images.paths().end(), image.path);
  };
  for (const quant::CalibrationImage& image : table.images) {
    if (has(image)) continue;
    throw Error(ErrorKind::kStale,
                "image '" + image.path + "' of the calibration table is not in " + images.root().string(),
                "Give the images that the table was made from.");
  }
  images.shard(options.shard_index, options.shard_count);
  std::vector<quant::CalibrationImage> own;
  std::copy_if(table.images.begin(), table.images.end(), std::back_inserter(own), has);
  return own;
}

Tensor load_unchanged(const std::filesystem::path& file, const std::string& sha256, const Preprocess& preprocess,
                      const Shape& shape) {
  const std::string bytes = read_sample_file(file);
  if (sha256_hex(bytes) != sha256) {
    throw Error(ErrorKind::kStale, file.string() + ": not the image that the calibration table was made from",
                "Calibrate again.");
  }
  try {
    return decode_sample(bytes, file.string(), preprocess, shape, false).input;
  } catch (const Error& error) {
    throw error.within(file.string());
  }
}

}  // namespace

tune::StoredHessians collect_hessians(const graph::Graph& graph, const quant::CalibrationTable& table, ImageSet images,
                                      const HessianOptions& options, const StageControl& control) {
  table.require_made_from(graph.fingerprint());
  const Shape& shape = calibrated_input(graph).shape;
  const Preprocess preprocess =
      Preprocess::from_json(parse_json(table.preprocess, "calibration table"), "calibration table");
  const std::vector<quant::CalibrationImage> own = images_of_shard(table, images, options);
  auto units = collected_units(graph, table, options);

  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::int64_t done = 0;
  const auto workers = std::min<std::int64_t>(thread_count(options.threads), static_cast<std::int64_t>(own.size()));
  parallel_for(workers, static_cast<int>(workers), [&](std::int64_t) {
    try {
      Worker worker(graph, units);
      for (std::size_t i = next++; i < own.size() && !control.stop.stop_requested(); i = next++) {
        worker.run(load_unchanged(images.root() / own[i].path, own[i].sha256, preprocess, shape));
        const std::lock_guard lock(mutex);
        control.report(++done, static_cast<std::int64_t>(own.size()));
      }
    } catch (...) {
      next = own.size();  // the other threads need not go on
      throw;
    }
  });
  if (done < static_cast<std::int64_t>(own.size())) {
    throw Error(ErrorKind::kInterrupted, "collecting Hessians was interrupted; nothing is kept");
  }
  tune::StoredHessians result{
      graph.fingerprint(), table.fingerprint(), {options.shard_count, {options.shard_index}}, done, {}};
  for (const auto& unit : units) result.units[unit->unit] = std::move(unit->moments);
  return result;
}

}  // namespace cleave::calibration
