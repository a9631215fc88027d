#include "evaluation/labelled_run.h"

#include <map>
#include <mutex>

#include "calibration/image_header.h"
#include "core/error.h"
#include "core/parallel.h"

namespace cleave::evaluation {
namespace fs = std::filesystem;

namespace {

/// Predictors that run one picture at a time, made when all others are busy.
class Predictors {
 public:
  explicit Predictors(const std::function<Predictor()>& make) : make_(make) {}

  std::vector<Tensor> run(const Tensor& input) {
    if (!make_) return {};
    Predictor predictor = take();
    std::vector<Tensor> outputs = predictor(input);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(predictor));
    return outputs;
  }

 private:
  Predictor take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return make_();
    Predictor predictor = std::move(idle_.back());
    idle_.pop_back();
    return predictor;
  }

  const std::function<Predictor()>& make_;
  std::mutex mutex_;
  std::vector<Predictor> idle_;
};

/// The size of a picture, or the input's own for a .npy sample.
Geometry geometry_of_sample(const std::string& bytes, const fs::path& file, const LabelledRun& run) {
  if (file.extension() != ".npy") {
    const calibration::ImageHeader header = calibration::read_image_header(bytes);
    return geometry_of(run.preprocess, {header.height, header.width});
  }
  const std::size_t height_at = run.preprocess.layout == "NHWC" ? 1 : 2;
  const ImageSize size{run.input_shape.at(height_at), run.input_shape.at(height_at + 1)};
  return {size, size, {}, {}};
}

Observation observe(const LabelledRun& run, std::size_t index, const LabelledImage& source, Predictors& network,
                    Predictors& reference) {
  const std::string bytes = calibration::read_sample_file(source.image);
  const calibration::Sample sample =
      calibration::decode_sample(bytes, source.image.string(), run.preprocess, run.input_shape, false);
  return {index, source, geometry_of_sample(bytes, source.image, run), network.run(sample.input),
          reference.run(sample.input)};
}

}  // namespace

std::vector<LabelledImage> labelled_images(const LabelledRun& run, const std::string& ending) {
  if (!fs::is_directory(run.labels)) {
    throw Error(ErrorKind::kIo, run.labels.string() + ": no such folder of labels",
                "For this metric --labels is a folder with a file STEM" + ending + " per picture.");
  }
  std::vector<LabelledImage> labelled;
  std::map<fs::path, fs::path> image_of;
  for (const std::string& path : run.images.paths()) {
    const fs::path image = run.images.root() / path;
    const fs::path label = run.labels / (image.stem().string() + ending);
    if (!fs::exists(label)) continue;
    if (const auto [known, is_new] = image_of.emplace(label, image); !is_new) {
      throw Error(ErrorKind::kInvalidInput,
                  label.string() + " would label both " + known->second.string() + " and " + image.string());
    }
    labelled.push_back({image, label});
  }
  if (labelled.empty()) {
    throw Error(ErrorKind::kInvalidInput, run.labels.string() + ": no picture has a label here",
                "The label of photos/cat.jpg is cat" + ending + ".");
  }
  return labelled;
}

void observe_each(const LabelledRun& run, const std::vector<LabelledImage>& images,
                  const std::function<void(const Observation&)>& judge, const StageControl& control) {
  if (run.input_shape.size() != 4) {
    throw Error(ErrorKind::kUnsupported, "the network's input " + shape_text(run.input_shape) + " is not a picture");
  }
  Predictors network(run.make_predictor);
  Predictors reference(run.make_reference);
  std::mutex mutex;
  std::int64_t done = 0;
  const auto total = static_cast<std::int64_t>(images.size());
  parallel_for(total, run.threads, [&](std::int64_t i) {
    if (control.stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "evaluation interrupted");
    const auto index = static_cast<std::size_t>(i);
    try {
      judge(observe(run, index, images[index], network, reference));
    } catch (const Error& error) {
      throw error.within(images[index].image.string());
    }
    const std::lock_guard lock(mutex);
    control.report(++done, total);
  });
}

}  // namespace cleave::evaluation
