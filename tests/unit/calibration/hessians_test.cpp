#include "calibration/hessians.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/calibrate.h"
#include "core/error.h"
#include "core/file.h"
#include "exec/session.h"
#include "picture.h"
#include "quant/clip.h"
#include "quant/hessian_rounding.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"
#include "tiny_network.h"

namespace cleave::calibration {
namespace {

using cleave::testing::kind_of;
using tune::StoredHessians;

constexpr int kImages = 9;

std::string image_name(int i) {
  return std::to_string(i) + ".ppm";
}

class Hessians : public ::testing::Test {
 protected:
  Hessians() {
    for (int i = 0; i < kImages; ++i) {
      testing::write_ppm(images() / image_name(i), 6, 6, testing::colourful(6, 6, static_cast<std::uint32_t>(i)));
    }
    table_ = calibrate(graph_, "model", ImageSet::open(images()), {});
  }

  std::filesystem::path images() const { return folder_ / "images"; }
  StoredHessians run(std::int64_t index = 0, std::int64_t count = 1, int threads = 1) const {
    return collect_hessians(graph_, table_, ImageSet::open(images()), {index, count, threads, {}});
  }
  std::string name_of(std::size_t unit) const { return graph_.units()[unit].name; }

  testing::TemporaryFolder folder_;
  graph::Graph graph_ = testing::tiny_network();
  quant::CalibrationTable table_;
};

/// 2 E[x x^T] of the 3x3 columns, padded by one, by the definition; in double.
std::vector<double> hessian_by_hand(const std::vector<Tensor>& inputs) {
  std::vector<double> sums(27 * 27);
  for (const Tensor& input : inputs) {
    const auto values = input.data<float>();
    for (int position = 0; position < 36; ++position) {
      std::vector<double> column;
      for (int k = 0; k < 27; ++k) {
        const int y = position / 6 + k % 9 / 3 - 1, x = position % 6 + k % 3 - 1;
        const bool inside = y >= 0 && y < 6 && x >= 0 && x < 6;
        column.push_back(inside ? double{values[static_cast<std::size_t>(k / 9 * 36 + y * 6 + x)]} : 0);
      }
      for (std::size_t i = 0; i < 27 * 27; ++i) sums[i] += column[i / 27] * column[i % 27];
    }
  }
  for (double& sum : sums) sum *= 2.0 / (36.0 * static_cast<double>(inputs.size()));
  return sums;
}

TEST_F(Hessians, AreThoseOfTheDefinition) {
  const StoredHessians stored = run();
  ASSERT_EQ(stored.units.size(), 2U);
  EXPECT_EQ(stored.images, kImages);
  std::vector<Tensor> inputs;
  for (int i = 0; i < kImages; ++i) {
    inputs.push_back(load_sample(images() / image_name(i), Preprocess(), {1, 3, 6, 6}, false).input);
  }
  const std::vector<double> expected = hessian_by_hand(inputs);
  const tune::StoredMoments& first = stored.units.at(name_of(0));
  EXPECT_EQ(first.columns, 36 * kImages);
  const std::vector<double> found = first.hessian(0);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6 * expected[0]) << i;
  EXPECT_EQ(stored.units.at(name_of(1)).inputs, 4);
}

TEST_F(Hessians, AnyNumberOfThreadsAndShardsGivesTheSameBytes) {
  const std::string whole = run().to_bytes();
  for (const int threads : {2, 3, 16}) EXPECT_EQ(run(0, 1, threads).to_bytes(), whole) << threads;
  for (const std::int64_t count : {2, 3, 20}) {  // 20: most are empty
    StoredHessians merged = run(count - 1, count, 2);
    for (std::int64_t i = 0; i + 1 < count; ++i) {
      EXPECT_FALSE(merged.shards.complete());
      tune::merge_into(run(i, count), merged);
    }
    EXPECT_EQ(merged.to_bytes(), whole) << count << " shards";
  }
}

TEST_F(Hessians, ComeBackFromTheirFile) {
  const StoredHessians stored = run(1, 3);
  stored.save(folder_ / "h.bin");
  EXPECT_TRUE(StoredHessians::is_one(folder_ / "h.bin"));
  EXPECT_FALSE(StoredHessians::is_one(images() / image_name(0)));
  EXPECT_EQ(StoredHessians::load(folder_ / "h.bin"), stored);
}

TEST_F(Hessians, ADamagedFileIsRefused) {
  const std::string good = run().to_bytes();
  const auto refused = [](const std::string& bytes) {
    return kind_of([&] { StoredHessians::from_bytes(bytes, "h.bin"); }) == ErrorKind::kInvalidInput;
  };
  for (std::size_t size = 0; size < good.size(); size += size < 900 ? 1 : 61)
    EXPECT_TRUE(refused(good.substr(0, size)));
  EXPECT_TRUE(refused(good + "x"));
  for (std::size_t at = good.size() - 3000; at < good.size(); at += 97) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_TRUE(refused(damaged)) << at;
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string damaged = good;
    const std::size_t at = damaged.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return damaged.replace(at, from.size(), to);
  };
  EXPECT_TRUE(refused(with("\"groups\":1", "\"groups\":1048576")));
  EXPECT_TRUE(refused(with("\"inputs\":27", "\"inputs\":4611686018427387904")));
  EXPECT_TRUE(refused(with("\"inputs\":27", "\"inputs\":26")));
  EXPECT_TRUE(refused(with("\"inputs\":27", "\"inputs\":-27")));
  EXPECT_TRUE(refused(with("\"columns\":324", "\"columns\":-1")));
  EXPECT_TRUE(refused(with("\"exponent\":", "\"exponent\":99")));
  EXPECT_TRUE(refused(with("\"indices\":[0]", "\"indices\":[1]")));
  EXPECT_TRUE(refused(with("\"images\":9", "\"images\":-9")));
  EXPECT_TRUE(refused(with("hessians/1\n", "hessians/2\n")));
}

TEST_F(Hessians, OnlyPartsOfOneRunMerge) {
  const auto kind = [](const StoredHessians& a, StoredHessians b) { return kind_of([&] { tune::merge_into(a, b); }); };
  EXPECT_EQ(kind(run(), run()), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind(run(0, 2), run(0, 2)), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind(run(0, 2), run(1, 3)), ErrorKind::kInvalidInput);
  StoredHessians other = run(1, 2);
  other.calibration = "another";
  EXPECT_EQ(kind(run(0, 2), other), ErrorKind::kStale);
}

TEST_F(Hessians, AreOfTheImagesOfTheTableAndOfNoOthers) {
  const auto kind = [&] { return kind_of([&] { run(); }); };
  quant::CalibrationTable of_another = table_;
  of_another.graph_fingerprint = "another";
  EXPECT_EQ(kind_of([&] { collect_hessians(graph_, of_another, ImageSet::open(images()), {}); }), ErrorKind::kStale);
  testing::write_ppm(images() / "more.ppm", 6, 6, testing::colourful(6, 6, 77));
  EXPECT_EQ(run().images, kImages);
  testing::write_ppm(images() / image_name(3), 6, 6, testing::colourful(6, 6, 78));
  EXPECT_EQ(kind(), ErrorKind::kStale);
  std::filesystem::remove(images() / image_name(3));
  EXPECT_EQ(kind(), ErrorKind::kStale);
}

TEST_F(Hessians, RoundEveryUnitByGptq) {
  const StoredHessians stored = run();
  exec::QuantizationSpec spec;
  for (const graph::Unit& unit : graph_.units()) {
    spec.weights[unit.name] =
        quant::choose_weights(*graph_.constant(unit.weight), 0, quant::Bits{3}, quant::ClipMethod::kMse).quantizer;
  }
  tune::round_by_hessians(graph_, stored, spec, 2);
  for (const graph::Unit& unit : graph_.units()) {
    const Tensor& weights = *graph_.constant(unit.weight);
    const quant::WeightQuantizer& quantizer = spec.weights.at(unit.name);
    const tune::StoredMoments& moments = stored.units.at(unit.name);
    const std::vector<double> hessian = moments.hessian(0);
    const quant::LayerWeights layer{weights.data<float>(), moments.inputs, quantizer.scales, quantizer.grid()};
    const double gptq = quant::output_error(layer, spec.weight_codes.at(unit.name).data<std::int8_t>(), hessian);
    const double nearest = quant::output_error(layer, quant::nearest_codes(layer), hessian);
    EXPECT_LE(gptq, nearest) << unit.name;
    if (moments.inputs <= 4) continue;
    EXPECT_LT(gptq, nearest) << unit.name;
  }
  EXPECT_EQ(kind_of([&] { tune::round_by_hessians(testing::tiny_network(2), stored, spec, 1); }), ErrorKind::kStale);
  EXPECT_EQ(kind_of([&] { tune::round_by_hessians(graph_, run(0, 2), spec, 1); }), ErrorKind::kInvalidInput);
}

TEST(MomentsExponent, IsTheLargestThatKeepsTheSumBelowTwoToThe61) {
  EXPECT_EQ(tune::moments_exponent(1, 1), 60);   // 1 * 2^60 < 2^61
  EXPECT_EQ(tune::moments_exponent(3, 10), 54);  // 90 * 2^54 < 2^61 <= 90 * 2^55
  EXPECT_EQ(tune::moments_exponent(0x1p-20, 4), 98);
}

}  // namespace
}  // namespace cleave::calibration
