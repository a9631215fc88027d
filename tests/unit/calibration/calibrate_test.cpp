#include "calibration/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "picture.h"
#include "support/error_kind.h"
#include "support/shared.h"
#include "support/temporary_folder.h"
#include "tiny_network.h"

namespace cleave::calibration {
namespace {

using cleave::testing::kind_of;

namespace fs = std::filesystem;
using quant::CalibrationTable;
using testing::TemporaryFolder;

constexpr int kImages = 11;

std::string image_name(int i) {
  return "class" + std::to_string(i % 3) + "/" + std::to_string(i) + ".ppm";
}

void write_images(const fs::path& folder, int count) {
  for (int i = 0; i < count; ++i) {
    testing::write_ppm(folder / image_name(i), 6, 6, testing::colourful(6, 6, static_cast<std::uint32_t>(i)));
  }
}

void write_broken(const fs::path& folder, int count) {
  for (int i = 0; i < count; ++i) write_file_atomically(folder / ("broken" + std::to_string(i) + ".jpg"), "no image");
}

/// A folder of images and what calibrates over it.
class Calibrate : public ::testing::Test {
 protected:
  Calibrate() { write_images(images(), kImages); }

  fs::path images() const { return folder_ / "images"; }
  fs::path checkpoint() const { return folder_ / "progress.json"; }

  CalibrationTable run(const CalibrateOptions& options, const StageControl& control = {}) const {
    return calibrate(graph_, "model", ImageSet::open(images()), options, control);
  }
  std::string text(const CalibrateOptions& options) const { return run(options).to_text(); }

  static CalibrateOptions plain(int threads = 1) {
    CalibrateOptions options;
    options.preprocess = Preprocess::find("raw");
    options.threads = threads;
    return options;
  }
  CalibrateOptions with_checkpoint(int threads = 1) const {
    CalibrateOptions options = plain(threads);
    options.checkpoint = checkpoint();
    options.resume = true;
    return options;
  }
  CalibrationTable shard(std::int64_t index, std::int64_t count) const {
    CalibrateOptions options = plain(1 + static_cast<int>(index % 2));
    options.shard_index = index;
    options.shard_count = count;
    return run(options);
  }

  /// Stops as soon as `images` images are done; the run must end with kInterrupted.
  void interrupt_after(std::int64_t images, const CalibrateOptions& options) const {
    std::stop_source stop;
    StageControl control;
    control.stop = stop.get_token();
    control.on_progress = [&](const Progress& progress) {
      if (progress.done >= images) stop.request_stop();
    };
    EXPECT_EQ(kind_of([&] { run(options, control); }), ErrorKind::kInterrupted);
  }

  TemporaryFolder folder_;
  graph::Graph graph_ = testing::tiny_network();
};

TEST_F(Calibrate, CountsEveryTapOfEveryImage) {
  const CalibrationTable table = run(plain());
  ASSERT_EQ(table.tensors.size(), 3U);
  EXPECT_EQ(table.tensors.at("x").counts.count, kImages * 3 * 36U);
  EXPECT_EQ(table.tensors.at("r").counts.count, kImages * 4 * 36U);
  EXPECT_EQ(table.tensors.at("z").counts.count, kImages * 2 * 36U);
  EXPECT_EQ(table.tensors.at("r").counts.min, 0);
  EXPECT_EQ(table.tensors.at("r").channels.size(), 4U);
  EXPECT_EQ(table.graph_fingerprint, graph_.fingerprint());
  EXPECT_EQ(table.model_sha256, "model");
  EXPECT_TRUE(table.complete());
}

TEST_F(Calibrate, StatisticsAreThoseOfTheValuesThatTheNetworkComputes) {
  const CalibrationTable table = run(plain(2));
  exec::Session session(graph_);
  quant::TensorStatistics inputs, outputs;
  for (int i = 0; i < kImages; ++i) {
    const Sample sample = load_sample(images() / image_name(i), Preprocess(), {1, 3, 6, 6}, false);
    const Tensor output = session.run(std::span(&sample.input, 1))[0];
    for (const auto& [tensor, statistics] : {std::pair(&sample.input, &inputs), std::pair(&output, &outputs)}) {
      statistics->add(*tensor);
      quant::ValueCounts image;
      image.add(tensor->data<float>());
      statistics->image_ranges.add(image.min, image.max);
    }
  }
  EXPECT_EQ(table.tensors.at("x"), inputs);
  EXPECT_EQ(table.tensors.at("z"), outputs);
}

TEST_F(Calibrate, ValuesBeforeAnActivationAreThoseThatTheNetworkComputes) {
  CalibrateOptions options = plain(2);
  options.pre_activation = true;
  options.histogram_values = HistogramValues::kAll;
  const CalibrationTable table = run(options);
  EXPECT_FALSE(table.tensors.at("x").before);
  EXPECT_FALSE(table.tensors.at("z").before);
  ASSERT_TRUE(table.tensors.at("r").before);
  // An oracle of its own: the first convolution alone, without its Relu.
  graph::GraphBuilder builder;
  const auto x = builder.input("x", DType::kFloat32, {1, 3, 6, 6});
  const auto weights = builder.constant("w", graph_.constant(*graph_.find("first"))->clone());
  const auto c = builder.node("Conv", {x, weights}, {"c"}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}})[0];
  builder.set_shape(c, DType::kFloat32, {1, 4, 6, 6});
  builder.output(c);
  exec::Session session(builder.build());
  quant::PreActivation expected;
  for (int i = 0; i < kImages; ++i) {
    const Sample sample = load_sample(images() / image_name(i), Preprocess(), {1, 3, 6, 6}, false);
    const Tensor output = session.run(std::span(&sample.input, 1))[0];
    expected.counts.add(output.data<float>());
    expected.histogram.add(output.data<float>());
  }
  EXPECT_LT(expected.counts.min, 0);
  EXPECT_EQ(table.tensors.at("r").before, expected);
}

TEST_F(Calibrate, ValuesBeforeAnActivationChangeNoOtherNumberAndShardExactly) {
  CalibrateOptions options = plain();
  options.pre_activation = true;
  CalibrationTable whole = run(options);
  const std::string text = whole.to_text();
  options.threads = 3;
  EXPECT_EQ(run(options).to_text(), text);
  options.shard_count = 2;
  const CalibrationTable first = run(options);
  options.shard_index = 1;
  EXPECT_EQ(quant::merge(run(options), first).to_text(), text);
  EXPECT_EQ(kind_of([&] { quant::merge(first, shard(1, 2)); }), ErrorKind::kStale);
  whole.tensors.at("r").before.reset();
  EXPECT_EQ(whole.to_text(), run(plain()).to_text());
}

TEST_F(Calibrate, ListsImagesWithHashAndJpegSize) {
  const CalibrationTable table = run(plain());
  ASSERT_EQ(table.images.size(), static_cast<std::size_t>(kImages));
  EXPECT_TRUE(std::is_sorted(table.images.begin(), table.images.end(),
                             [](const auto& a, const auto& b) { return a.path < b.path; }));
  const quant::CalibrationImage& first = table.images.front();
  EXPECT_EQ(first.path, "class0/0.ppm");
  EXPECT_EQ(first.sha256, sha256_hex(read_file(images() / first.path)));
  EXPECT_EQ(first.jpeg_bytes, jpeg_bytes(load_pixels(images() / first.path, Preprocess())));
}

TEST_F(Calibrate, AnyNumberOfThreadsGivesTheSameBytes) {
  const std::string one = text(plain(1));
  for (const int threads : {2, 3, 16}) EXPECT_EQ(text(plain(threads)), one) << threads << " threads";
}

TEST_F(Calibrate, AnyNumberOfShardsMergesToTheSameBytes) {
  const std::string whole = text(plain());
  for (const std::int64_t count : {2, 3, 5, 40}) {  // 40: most are empty
    CalibrationTable merged = shard(count - 1, count);
    for (std::int64_t i = 0; i + 1 < count; ++i) merged = quant::merge(shard(i, count), merged);
    EXPECT_EQ(merged.to_text(), whole) << count << " shards";
  }
}

TEST_F(Calibrate, ALimitAppliesBeforeTheShards) {
  CalibrateOptions options = plain();
  options.limit = 4;
  const CalibrationTable limited = run(options);
  EXPECT_EQ(limited.images.size(), 4U);
  options.shard_count = 2;
  CalibrationTable merged = run(options);
  options.shard_index = 1;
  EXPECT_EQ(quant::merge(merged, run(options)).to_text(), limited.to_text());
}

TEST_F(Calibrate, TheOrderOfAListMakesNoDifference) {
  std::vector<int> order(kImages);
  std::iota(order.begin(), order.end(), 0);
  const std::string whole = text(plain());
  for (int round = 0; round < 3; ++round) {
    std::next_permutation(order.begin(), order.end());
    std::rotate(order.begin(), order.begin() + 4, order.end());
    std::string list;
    for (const int i : order) list += image_name(i) + "\n";
    write_file_atomically(images() / "list.txt", list);
    const ImageSet set = ImageSet::open(images() / "list.txt");
    EXPECT_EQ(calibrate(graph_, "model", set, plain(2)).to_text(), whole);
  }
}

TEST_F(Calibrate, AnInterruptionAfterAnyImageResumesToTheSameBytes) {
  const std::string whole = text(plain());
  for (const int threads : {1, 2}) {
    for (std::int64_t done = 0; done < kImages - threads + 1; ++done) {
      interrupt_after(done, with_checkpoint(threads));
      EXPECT_EQ(CalibrationTable::load(checkpoint()).images.size() >= static_cast<std::size_t>(done), true);
      EXPECT_EQ(text(with_checkpoint(threads)), whole) << done << " images, " << threads << " threads";
      fs::remove(checkpoint());
    }
  }
}

TEST_F(Calibrate, ManyInterruptionsInARowLoseNothing) {
  for (std::int64_t done = 1; done < kImages; done += 2) interrupt_after(done, with_checkpoint());
  EXPECT_EQ(text(with_checkpoint()), text(plain()));
}

TEST_F(Calibrate, ACrashLosesAtMostTheImagesSinceTheLastCheckpoint) {
  CalibrateOptions options = with_checkpoint();
  options.checkpoint_images = 3;
  StageControl control;
  control.on_progress = [](const Progress& progress) {
    if (progress.done == 8) throw std::runtime_error("power cut");
  };
  EXPECT_THROW(run(options, control), std::runtime_error);
  EXPECT_EQ(CalibrationTable::load(checkpoint()).images.size(), 6U);
  EXPECT_EQ(text(options), text(plain()));
}

TEST_F(Calibrate, AResumedRunReportsWhatWasDoneBefore) {
  interrupt_after(5, with_checkpoint());
  std::vector<std::int64_t> done;
  StageControl control;
  control.on_progress = [&](const Progress& progress) { done.push_back(progress.done); };
  run(with_checkpoint(), control);
  EXPECT_EQ(done, (std::vector<std::int64_t>{5, 6, 7, 8, 9, 10, 11}));
}

TEST_F(Calibrate, WithoutResumeTheCheckpointIsNotRead) {
  write_file_atomically(checkpoint(), "nonsense");
  CalibrateOptions options = with_checkpoint();
  options.resume = false;
  EXPECT_EQ(text(options), text(plain()));
  EXPECT_EQ(kind_of([&] { run(with_checkpoint()); }), ErrorKind::kInvalidInput);
}

TEST_F(Calibrate, AResumedRunMayHaveMoreImages) {
  CalibrateOptions few = with_checkpoint();
  few.limit = 6;
  interrupt_after(4, few);
  EXPECT_EQ(text(with_checkpoint()), text(plain()));
}

TEST_F(Calibrate, ProgressOfAnotherRunIsStale) {
  interrupt_after(5, with_checkpoint());
  const auto kind = [&](const graph::Graph& graph, const std::string& model, const CalibrateOptions& options) {
    return kind_of([&] { calibrate(graph, model, ImageSet::open(images()), options); });
  };
  EXPECT_EQ(kind(graph_, "another", with_checkpoint()), ErrorKind::kStale);
  EXPECT_EQ(kind(testing::tiny_network(2), "model", with_checkpoint()), ErrorKind::kStale);
  CalibrateOptions scaled = with_checkpoint();
  scaled.preprocess.scale = 2;
  EXPECT_EQ(kind(graph_, "model", scaled), ErrorKind::kStale);
  CalibrateOptions full = with_checkpoint();
  full.histogram_values = HistogramValues::kAll;
  EXPECT_EQ(kind(graph_, "model", full), ErrorKind::kStale);
  CalibrateOptions before = with_checkpoint();
  before.pre_activation = true;
  EXPECT_EQ(kind(graph_, "model", before), ErrorKind::kStale);
  CalibrateOptions sharded = with_checkpoint();
  sharded.shard_count = 2;
  EXPECT_EQ(kind(graph_, "model", sharded), ErrorKind::kStale);
  CalibrateOptions fewer = with_checkpoint();
  fewer.limit = 2;
  EXPECT_EQ(kind(graph_, "model", fewer), ErrorKind::kStale);
}

TEST_F(Calibrate, UnreadableImagesAreNamedCountedAndSkipped) {
  const CalibrationTable healthy = run(plain());
  write_broken(images(), 2);
  std::vector<std::string> warnings;
  CalibrateOptions options = plain(2);
  options.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
  const CalibrationTable table = run(options);
  EXPECT_EQ(table.bad_images, (std::vector<std::string>{"broken0.jpg", "broken1.jpg"}));
  EXPECT_EQ(table.tensors, healthy.tensors);
  EXPECT_EQ(table.images, healthy.images);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE((warnings[0] + warnings[1]).find("broken1.jpg: not an image"), std::string::npos) << warnings[0];
}

TEST_F(Calibrate, BadImagesMergeAndResumeToTheSameBytes) {
  write_broken(images(), 3);
  const std::string whole = text(plain());
  CalibrationTable merged = shard(0, 7);
  for (std::int64_t i = 1; i < 7; ++i) merged = quant::merge(merged, shard(i, 7));
  EXPECT_EQ(merged.to_text(), whole);
  interrupt_after(2, with_checkpoint());
  EXPECT_EQ(text(with_checkpoint()), whole);
}

TEST_F(Calibrate, MoreBadImagesThanAllowedAreAnError) {
  write_broken(images(), 3);
  CalibrateOptions options = plain();
  options.max_bad = 3;
  EXPECT_EQ(run(options).bad_images.size(), 3U);
  options.max_bad = 2;
  try {
    run(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find("broken0.jpg: not an image"), std::string::npos) << error.what();
  }
}

TEST_F(Calibrate, BadImagesOfTheInterruptedPartCount) {
  write_broken(images(), 3);
  CalibrateOptions options = with_checkpoint();
  interrupt_after(2, options);
  options.max_bad = 2;
  EXPECT_EQ(kind_of([&] { run(options); }), ErrorKind::kInvalidInput);
}

TEST_F(Calibrate, NoReadableImageAtAllIsAnError) {
  fs::remove_all(images());
  fs::create_directories(images());
  write_broken(images(), 2);
  EXPECT_EQ(kind_of([&] { run(plain()); }), ErrorKind::kInvalidInput);
  testing::write_ppm(images() / "wrong_size.ppm", 2, 2, testing::colourful(2, 2));
  EXPECT_EQ(kind_of([&] { run(plain()); }), ErrorKind::kInvalidInput);
}

TEST_F(Calibrate, ArraysAreSamplesToo) {
  fs::remove_all(images());
  fs::create_directories(images());
  Tensor values(DType::kFloat32, {3, 6, 6});
  values.mutable_data<float>()[7] = -12.5F;
  write_file_atomically(images() / "a.npy", npy_bytes(values));
  const CalibrationTable table = run(plain());
  EXPECT_EQ(table.tensors.at("x").counts.min, -12.5F);
  EXPECT_EQ(table.tensors.at("x").counts.zeros, 107U);
  EXPECT_EQ(table.images.at(0).jpeg_bytes, 0);
}

TEST_F(Calibrate, StateDoesNotGrowWithTheNumberOfImages) {
  const auto bins_of_copies = [&](int copies) {
    fs::remove_all(images());
    for (int i = 0; i < copies; ++i) testing::write_ppm(images() / image_name(i), 6, 6, testing::colourful(6, 6));
    std::map<std::string, std::size_t> bins;
    for (const auto& [name, statistics] : run(plain()).tensors) {
      bins[name] = statistics.histogram.bins().size();
      for (const auto& channel : statistics.channels) bins[name] += channel.histogram.bins().size();
    }
    return bins;
  };
  EXPECT_EQ(bins_of_copies(2), bins_of_copies(50));
}

TEST_F(Calibrate, NetworksOfSeveralInputsOrOtherTypesAreUnsupported) {
  graph::GraphBuilder two;
  const auto a = two.input("a", DType::kFloat32, {1, 3});
  const auto sum = two.node("Add", {a, two.input("b", DType::kFloat32, {1, 3})}, {"sum"})[0];
  two.set_shape(sum, DType::kFloat32, {1, 3});
  two.output(sum);
  graph::GraphBuilder bytes;
  const auto cast = bytes.node("Cast", {bytes.input("a", DType::kUint8, {1, 3})}, {"y"}, {{"to", std::int64_t{1}}})[0];
  bytes.set_shape(cast, DType::kFloat32, {1, 3});
  bytes.output(cast);
  for (graph::GraphBuilder* builder : {&two, &bytes}) {
    const graph::Graph graph = builder->build();
    EXPECT_EQ(kind_of([&] { calibrate(graph, "model", ImageSet::open(images()), plain()); }), ErrorKind::kUnsupported);
  }
}

TEST(CalibrateRealNetwork, ValuesBeforeAnActivationChangeNoOtherNumber) {
  CLEAVE_NEEDS_SHARED();
  const fs::path data = testing::shared_dir() / "data";
  for (const auto& [name, preprocess, photographs] :
       {std::tuple("resnet20_cifar10", "images/cifar10/preprocess.json", "images/cifar10/calibration"),
        std::tuple("mobilenet_v2_1.0_224", "imagenet", "images/cifar10/calibration")}) {
    const graph::Model model = graph::Model::load(data / "models" / (std::string(name) + ".onnx"));
    const graph::Graph graph = graph::prepare(model);
    CalibrateOptions options;
    const bool is_file = fs::exists(data / preprocess);
    options.preprocess = Preprocess::find(is_file ? (data / preprocess).string() : preprocess);
    options.limit = 3;
    const ImageSet images = ImageSet::open(data / photographs);
    const CalibrationTable without = calibrate(graph, model.sha256(), images, options);
    options.pre_activation = true;
    CalibrationTable with = calibrate(graph, model.sha256(), images, options);
    std::size_t collected = 0;
    for (auto& [tensor, statistics] : with.tensors) {
      if (!statistics.before) continue;
      ++collected;
      EXPECT_EQ(statistics.before->counts.count, statistics.counts.count) << tensor;
      EXPECT_LT(statistics.before->counts.min, statistics.counts.min) << tensor;
      statistics.before.reset();
    }
    EXPECT_GT(collected, 10U);
    EXPECT_EQ(with.to_text(), without.to_text()) << name;
  }
}

TEST(CalibrateRealNetwork, ThreadsAndShardsGiveTheSameBytesOnCifarPhotographs) {
  CLEAVE_NEEDS_SHARED();
  const fs::path data = testing::shared_dir() / "data";
  const graph::Model model = graph::Model::load(data / "models/resnet20_cifar10.onnx");
  const graph::Graph graph = graph::prepare(model);
  CalibrateOptions options;
  options.preprocess = Preprocess::find((data / "images/cifar10/preprocess.json").string());
  options.limit = 20;
  const ImageSet images = ImageSet::open(data / "images/cifar10/calibration");
  options.threads = 1;
  const std::string one = calibrate(graph, model.sha256(), images, options).to_text();
  options.threads = 2;
  EXPECT_EQ(calibrate(graph, model.sha256(), images, options).to_text(), one);
  options.shard_count = 2;
  const CalibrationTable first = calibrate(graph, model.sha256(), images, options);
  options.shard_index = 1;
  EXPECT_EQ(quant::merge(calibrate(graph, model.sha256(), images, options), first).to_text(), one);
}

}  // namespace
}  // namespace cleave::calibration
