#include "evaluation/evaluate.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "core/text.h"

namespace cleave::evaluation {
namespace fs = std::filesystem;

namespace {

/// The folder without links and dots, so that two ways to one file meet.
fs::path resolved_folder(const fs::path& folder) {
  return fs::weakly_canonical(fs::absolute(folder.empty() ? fs::path(".") : folder));
}

struct Label {
  std::string path;
  std::int64_t index = 0;
};

Label parse_label(const std::string& line, const std::string& where) {
  const std::size_t blank = line.find_last_of(" \t");
  const std::string path = blank == std::string::npos ? std::string() : trim_text(line.substr(0, blank));
  const auto index = parse_integer(blank == std::string::npos ? line : line.substr(blank + 1));
  if (!path.empty() && index && *index >= 0) return {path, *index};
  throw Error(ErrorKind::kInvalidInput, where + ": expected 'path label', found '" + line.substr(0, 80) + "'",
              "A label is a class index from 0.");
}

/// One labelled image of the set.
struct Task {
  fs::path file;
  std::int64_t label = 0;
};

std::vector<Task> labelled_images(const calibration::ImageSet& images, const std::map<fs::path, std::int64_t>& labels) {
  const fs::path root = resolved_folder(images.root());
  std::vector<Task> tasks;
  for (const std::string& path : images.paths()) {
    const auto label = labels.find((root / path).lexically_normal());
    if (label != labels.end()) tasks.push_back({images.root() / path, label->second});
  }
  if (tasks.empty()) {
    throw Error(
        ErrorKind::kInvalidInput,
        "none of the " + std::to_string(images.paths().size()) + " images below " + root.string() + " has a label",
        "Paths in the labels file are relative to the folder of that file.");
  }
  return tasks;
}

/// Index of the largest value of the first output; the first of equals. NaN never wins.
std::int64_t predicted_class(const std::vector<Tensor>& outputs, std::int64_t label) {
  if (outputs.empty() || outputs[0].dtype() != DType::kFloat32 || outputs[0].elements() == 0) {
    throw Error(ErrorKind::kUnsupported, "top-1 needs a network whose first output is float32 class scores");
  }
  const Shape& shape = outputs[0].shape();
  if (std::count_if(shape.begin(), shape.end(), [](std::int64_t d) { return d > 1; }) > 1) {
    throw Error(ErrorKind::kUnsupported,
                "top-1 needs class scores, and the network's first output is " + shape_text(shape),
                "For label maps use the metric miou, for boxes map.");
  }
  const auto scores = outputs[0].data<float>();
  if (label >= outputs[0].elements()) {
    throw Error(ErrorKind::kInvalidInput,
                "label " + std::to_string(label) + " is outside the network's " +
                    std::to_string(outputs[0].elements()) + " classes",
                "Labels count from 0; some networks put a background class first.");
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] > scores[best] || scores[best] != scores[best]) best = i;
  }
  return static_cast<std::int64_t>(best);
}

struct Hits {
  std::int64_t correct = 0;
  std::int64_t reference_correct = 0;
  std::int64_t agreeing = 0;
  std::int64_t both_correct = 0;

  void add(const Hits& other) {
    correct += other.correct;
    reference_correct += other.reference_correct;
    agreeing += other.agreeing;
    both_correct += other.both_correct;
  }
};

/// The networks of one thread.
struct Predictors {
  Predictor network;
  Predictor reference;  ///< may be empty

  Hits judge(const Tensor& input, std::int64_t label) const {
    const std::int64_t found = predicted_class(network(input), label);
    Hits hits;
    hits.correct = found == label ? 1 : 0;
    if (!reference) return hits;
    const std::int64_t wanted = predicted_class(reference(input), label);
    hits.reference_correct = wanted == label ? 1 : 0;
    hits.agreeing = wanted == found ? 1 : 0;
    hits.both_correct = hits.correct * hits.reference_correct;
    return hits;
  }
};

/// Makes predictors one at a time: makers need not be ready for several threads.
std::vector<Predictors> make_predictors(std::int64_t count, const std::function<Predictor()>& make_predictor,
                                        const std::function<Predictor()>& make_reference) {
  std::vector<Predictors> predictors;
  for (std::int64_t i = 0; i < count; ++i) {
    predictors.push_back({make_predictor(), make_reference ? make_reference() : Predictor()});
  }
  return predictors;
}

Accuracy to_accuracy(const Hits& hits, std::int64_t images, bool with_reference) {
  const auto share = [images](std::int64_t count) { return static_cast<double>(count) / static_cast<double>(images); };
  Accuracy accuracy;
  accuracy.images = images;
  accuracy.value = share(hits.correct);
  if (with_reference) {
    accuracy.reference_value = share(hits.reference_correct);
    accuracy.agreement = share(hits.agreeing);
    accuracy.both_right = share(hits.both_correct);
  }
  return accuracy;
}

}  // namespace

std::map<fs::path, std::int64_t> read_labels(const fs::path& file) {
  const fs::path folder = resolved_folder(file.parent_path());
  std::map<fs::path, std::int64_t> labels;
  std::int64_t number = 0;
  for (const std::string& raw : split_text(read_file(file), '\n')) {
    ++number;
    const std::string line = trim_text(raw);
    if (line.empty() || line[0] == '#') continue;
    const std::string where = file.string() + ":" + std::to_string(number);
    const Label label = parse_label(line, where);
    const auto [place, made] = labels.emplace((folder / label.path).lexically_normal(), label.index);
    if (made || place->second == label.index) continue;
    throw Error(ErrorKind::kInvalidInput,
                where + ": '" + label.path + "' has label " + std::to_string(place->second) + " already");
  }
  if (labels.empty()) throw Error(ErrorKind::kInvalidInput, file.string() + ": no labels");
  return labels;
}

Accuracy evaluate_top1(const calibration::ImageSet& images, const std::map<fs::path, std::int64_t>& labels,
                       const calibration::Preprocess& preprocess, const Shape& input_shape,
                       const std::function<Predictor()>& make_predictor,
                       const std::function<Predictor()>& make_reference, int threads, const StageControl& control) {
  const std::vector<Task> tasks = labelled_images(images, labels);
  const auto total = static_cast<std::int64_t>(tasks.size());
  const std::int64_t workers = std::min<std::int64_t>(thread_count(threads), total);
  const std::vector<Predictors> predictors = make_predictors(workers, make_predictor, make_reference);
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;  // guards sum, done and the callback
  Hits sum;
  std::int64_t done = 0;
  const auto judge_one = [&](const Task& task, const Predictors& networks) {
    if (control.stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "evaluation interrupted");
    const calibration::Sample sample = calibration::load_sample(task.file, preprocess, input_shape, false);
    const Hits hits = networks.judge(sample.input, task.label);
    const std::lock_guard lock(mutex);
    sum.add(hits);
    control.report(++done, total);
  };
  control.report(0, total);
  parallel_for(workers, static_cast<int>(workers), [&](std::int64_t w) {
    try {
      for (std::int64_t i = next++; i < total; i = next++) {
        judge_one(tasks[static_cast<std::size_t>(i)], predictors[static_cast<std::size_t>(w)]);
      }
    } catch (...) {
      next = total;  // the other threads need not go on
      throw;
    }
  });
  return to_accuracy(sum, total, static_cast<bool>(make_reference));
}

}  // namespace cleave::evaluation
