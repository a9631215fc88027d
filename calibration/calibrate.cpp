#include "calibration/calibrate.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>

#include "calibration/checkpoint.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "core/parallel.h"
#include "core/text.h"
#include "exec/session.h"

namespace cleave::calibration {

const graph::TensorInfo& calibrated_input(const graph::Graph& graph) {
  if (graph.inputs().size() != 1) {
    std::vector<std::string> names;
    for (const graph::TensorId id : graph.inputs()) names.push_back("'" + graph.tensor(id).name + "'");
    throw Error(ErrorKind::kUnsupported,
                "calibration feeds one network input, this network has " + std::to_string(names.size()) +
                    (names.empty() ? "" : ": " + join_text(names, ", ")),
                "Make the other inputs constants of the model.");
  }
  const graph::TensorInfo& input = graph.tensor(graph.inputs()[0]);
  if (input.dtype == DType::kFloat32) return input;
  throw Error(ErrorKind::kUnsupported, "network input '" + input.name + "' is " + std::string(dtype_name(input.dtype)) +
                                           "; calibration feeds float32");
}

namespace {

/// What happened to one image: in the table, unreadable (with the reason), or not reached. Nothing of a readable image
/// is on the heap: what lives as long as the run would pin the pages between the buffers that come and go.
struct ImageResult {
  struct Good {
    std::array<char, 64> sha256;
    std::int64_t jpeg_bytes;
  };
  std::optional<Good> good;
  std::string bad;
};

/// A compiled network with the statistics of the images it ran; one per thread.
struct Worker {
  Worker(const graph::Graph& graph, const CalibrateOptions& options)
      : session(graph, {exec::Kernels::kFast, 1}),
        observer(graph, calibration_taps(graph), options.histogram_values,
                 options.pre_activation ? pre_activations(graph) : PreActivations{}) {}
  exec::Session session;
  StatisticsObserver observer;
  std::vector<Tensor> outputs{};  ///< of the last image; written over by the next
};

class Calibration {
 public:
  Calibration(const graph::Graph& graph, const std::string& model_sha256, const ImageSet& images,
              const CalibrateOptions& options, const StageControl& control)
      : graph_(graph),
        images_(images),
        options_(options),
        control_(control),
        input_shape_(calibrated_input(graph).shape),
        table_(start_table(graph, model_sha256, images, options)) {
    find_remaining();
    const auto wanted = static_cast<std::size_t>(thread_count(options.threads));
    workers_.resize(std::min(wanted, remaining_.size()));
  }

  quant::CalibrationTable run() {
    control_.report(finished_, total());
    const std::size_t step = options_.checkpoint
                                 ? static_cast<std::size_t>(std::max<std::int64_t>(1, options_.checkpoint_images))
                                 : std::max<std::size_t>(1, remaining_.size());
    for (std::size_t begin = 0; begin < remaining_.size(); begin += step) {
      const std::size_t end = std::min(begin + step, remaining_.size());
      run_batch(begin, end);
      require_few_bad();
      if (options_.checkpoint && (end < remaining_.size() || finished_ < total())) table_.save(*options_.checkpoint);
      if (finished_ < static_cast<std::int64_t>(done_before_ + end)) throw interrupted();
    }
    require_some_good();
    return std::move(table_);
  }

 private:
  std::int64_t total() const { return static_cast<std::int64_t>(images_.paths().size()); }

  void find_remaining() {
    std::set<std::string> done(table_.bad_images.begin(), table_.bad_images.end());
    for (const quant::CalibrationImage& image : table_.images) done.insert(image.path);
    for (const std::string& path : images_.paths()) {
      if (!done.contains(path)) remaining_.push_back(path);
    }
    done_before_ = done.size();
    finished_ = static_cast<std::int64_t>(done_before_);
    bad_count_ = static_cast<std::int64_t>(table_.bad_images.size());
  }

  /// Images [begin, end) of the remaining ones, spread over the workers; then everything into the table.
  void run_batch(std::size_t begin, std::size_t end) {
    std::vector<ImageResult> results(end - begin);
    std::atomic<std::size_t> next{begin};
    const auto count = static_cast<std::int64_t>(workers_.size());
    parallel_for(count, static_cast<int>(count), [&](std::int64_t w) {
      try {
        work(workers_[static_cast<std::size_t>(w)], next, begin, results);
      } catch (...) {
        next = end;  // the other threads need not go on
        throw;
      }
    });
    keep(begin, results);
  }

  /// One thread's share: images as they come, until there are none, a stop request, or too many bad ones.
  void work(std::unique_ptr<Worker>& worker, std::atomic<std::size_t>& next, std::size_t begin,
            std::vector<ImageResult>& results) {
    if (!worker) worker = std::make_unique<Worker>(graph_, options_);
    while (!control_.stop.stop_requested() && bad_count_ <= options_.max_bad) {
      const std::size_t i = next++ - begin;
      if (i >= results.size()) return;
      results[i] = run_image(remaining_[begin + i], *worker);
      count_finished(results[i]);
    }
  }

  ImageResult run_image(const std::string& path, Worker& worker) {
    const std::filesystem::path file = images_.root() / path;
    std::string bytes;
    Sample sample;
    try {
      bytes = read_sample_file(file);
      sample = decode(bytes, file);
    } catch (const Error& error) {
      return {std::nullopt, error.what()};
    }
    const std::string digest = sha256_hex(bytes);
    ImageResult::Good good{{}, sample.jpeg_bytes};
    std::copy_n(digest.begin(), good.sha256.size(), good.sha256.begin());
    worker.observer.begin_image(stable_hash(digest));
    worker.session.run_into(std::span(&sample.input, 1), worker.observer.observed(), worker.observer, worker.outputs);
    return {good, ""};
  }

  Sample decode(const std::string& bytes, const std::filesystem::path& file) const {
    try {
      return decode_sample(bytes, file.string(), options_.preprocess, input_shape_, true);
    } catch (const Error& error) {
      throw error.within(file.string());
    }
  }

  void count_finished(const ImageResult& result) {
    const std::lock_guard lock(mutex_);
    if (!result.good) {
      ++bad_count_;
      if (options_.on_warning) options_.on_warning("skipped " + result.bad);
    }
    control_.report(++finished_, total());
  }

  void keep(std::size_t begin, const std::vector<ImageResult>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (const auto& good = results[i].good) {
        const std::string digest(good->sha256.begin(), good->sha256.end());
        table_.images.push_back({remaining_[begin + i], digest, good->jpeg_bytes});
      }
      if (results[i].bad.empty()) continue;
      table_.bad_images.push_back(remaining_[begin + i]);
      reasons_.push_back(results[i].bad);
    }
    std::sort(table_.images.begin(), table_.images.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    std::sort(table_.bad_images.begin(), table_.bad_images.end());
    for (const std::unique_ptr<Worker>& worker : workers_) {
      if (worker) worker->observer.move_into(table_.tensors);
    }
  }

  std::string some_reasons() const {
    constexpr std::size_t kShown = 3;
    const std::span<const std::string> shown(reasons_.data(), std::min(kShown, reasons_.size()));
    return join_text(shown, "; ") + (reasons_.size() > kShown ? "; ..." : "");
  }

  void require_few_bad() const {
    if (bad_count_ <= options_.max_bad) return;
    throw Error(ErrorKind::kInvalidInput,
                std::to_string(bad_count_) + " images cannot be used, " + std::to_string(options_.max_bad) +
                    " are allowed: " + some_reasons(),
                "Repair or remove them, or raise --max-bad.");
  }

  void require_some_good() const {
    if (!table_.images.empty() || options_.shard_count > 1) return;
    throw Error(ErrorKind::kInvalidInput, "none of the " + std::to_string(total()) + " images can be used" +
                                              (reasons_.empty() ? "" : ": " + some_reasons()));
  }

  Error interrupted() const {
    return Error(
        ErrorKind::kInterrupted,
        "calibration interrupted after " + std::to_string(finished_) + " of " + std::to_string(total()) + " images",
        options_.checkpoint ? "Progress is in " + options_.checkpoint->string() + "; continue with --resume." : "");
  }

  const graph::Graph& graph_;
  const ImageSet& images_;
  const CalibrateOptions& options_;
  const StageControl& control_;
  Shape input_shape_;
  quant::CalibrationTable table_;
  std::vector<std::string> remaining_;
  std::size_t done_before_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::string> reasons_;  ///< in image order
  std::mutex mutex_;                  ///< guards finished_ and the callbacks
  std::int64_t finished_ = 0;         ///< images done, earlier runs included
  std::atomic<std::int64_t> bad_count_{0};
};

}  // namespace

quant::CalibrationTable calibrate(const graph::Graph& graph, const std::string& model_sha256, ImageSet images,
                                  const CalibrateOptions& options, const StageControl& control) {
  images.limit(options.limit);
  images.shard(options.shard_index, options.shard_count);
  return Calibration(graph, model_sha256, images, options, control).run();
}

}  // namespace cleave::calibration
