#include "quant/calibration_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "support/error_kind.h"
#include "support/property.h"
#include "support/temporary_folder.h"

namespace cleave::quant {
namespace {

using cleave::testing::kind_of;

using testing::expect_holds;
constexpr std::int64_t kImages = 12;

/// What one "image" makes of the network: the values of a tensor depend on the image alone.
Tensor activation(std::int64_t image, const Shape& shape) {
  Tensor tensor(DType::kFloat32, shape);
  std::uint64_t state = 0x9E3779B97F4A7C15U * static_cast<std::uint64_t>(image + 1);
  for (float& value : tensor.mutable_data<float>()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const auto draw = static_cast<std::int32_t>(state >> 33) - (1 << 30);
    value = draw % 5 == 0 ? -0.0F : static_cast<float>(draw) * 1e-9F * static_cast<float>(draw % 7);
  }
  return tensor;
}

std::string image_path(std::int64_t image) {
  return "photos/" + std::string(1, static_cast<char>('a' + image)) + ".jpg";
}

/// What an image adds to a tensor made by a Relu: the values before it and the image's range beside the rest.
void add_with_parts(const Tensor& before, const Tensor& after, TensorStatistics& statistics) {
  statistics.add(after);
  statistics.before->counts.add(before.data<float>());
  statistics.before->histogram.add(before.data<float>());
  ValueCounts seen;
  seen.add(after.data<float>());
  statistics.image_ranges.add(seen.min, seen.max);
}

/// The table of some of the images; image 7 is unreadable, image 3 gives NaN and infinity.
CalibrationTable table_of(const std::vector<std::int64_t>& images) {
  CalibrationTable table;
  table.model_sha256 = "m";
  table.graph_fingerprint = "g";
  table.preprocess = R"({"color":"rgb"})";
  table.tensors["conv"].channels.resize(3);
  table.tensors["conv"].before.emplace();
  table.tensors["logits"] = {};
  for (const std::int64_t image : images) {
    if (image == 7) {
      table.bad_images.push_back(image_path(image));
      continue;
    }
    table.images.push_back({image_path(image), "hash" + std::to_string(image), 1000 + image});
    Tensor conv = activation(image, {1, 3, 4, 5});
    if (image == 3) {
      conv.mutable_data<float>()[1] = std::nanf("");
      conv.mutable_data<float>()[2] = -std::numeric_limits<float>::infinity();
    }
    add_with_parts(activation(image + 200, {1, 3, 4, 5}), conv, table.tensors["conv"]);
    table.tensors["logits"].add(activation(image + 100, {10}));
  }
  return table;
}

std::vector<std::int64_t> all_images() {
  std::vector<std::int64_t> images;
  for (std::int64_t i = 0; i < kImages; ++i) images.push_back(i);
  return images;
}

std::vector<CalibrationTable> shards_of(const std::vector<int>& shard_of_image, int count) {
  std::vector<CalibrationTable> shards;
  for (int s = 0; s < count; ++s) {
    std::vector<std::int64_t> images;
    for (std::int64_t i = 0; i < kImages; ++i) {
      if (shard_of_image[static_cast<std::size_t>(i)] == s) images.push_back(i);
    }
    shards.push_back(table_of(images));
    shards.back().shard_count = count;
    shards.back().shards = {s};
  }
  return shards;
}

TEST(ValueCounts, SeparateFiniteValuesFromTheRest) {
  ValueCounts counts;
  const float infinity = std::numeric_limits<float>::infinity();
  counts.add(std::vector<float>{1, -0.0F, -2, infinity, -infinity, std::nanf("")});
  EXPECT_EQ(counts, (ValueCounts{-2, 1, 6, 1, 1, 2}));
  EXPECT_EQ(counts.finite(), 3U);
}

TEST(TensorStatistics, CountPerChannelOfAxisOne) {
  TensorStatistics statistics;
  statistics.add(Tensor::from<float>({2, 2, 2}, std::vector<float>{1, 2, 10, 20, 3, 4, 30, 40}));
  ASSERT_EQ(statistics.channels.size(), 2U);
  EXPECT_EQ(statistics.channels[0].counts, (ValueCounts{1, 4, 4, 0, 0, 0}));
  EXPECT_EQ(statistics.channels[1].counts, (ValueCounts{10, 40, 4, 0, 0, 0}));
  EXPECT_EQ(statistics.counts, (ValueCounts{1, 40, 8, 0, 0, 0}));
  EXPECT_EQ(statistics.channels[1].histogram.total(), 4U);
  EXPECT_EQ(statistics.weighted().total, 8);
}

TEST(ImageRanges, AverageTheImagesExactly) {
  ImageRanges ranges;
  EXPECT_FALSE(ranges.average().has_value());
  ranges.add(-1, 2);
  ranges.add(0.5F, 4);
  EXPECT_EQ(ranges.average()->lo, -0.25);
  EXPECT_EQ(ranges.average()->hi, 3);
}

TEST(ImageRanges, CutWhatTheirUnitCannotHoldAndRefuseToOverflow) {
  ImageRanges ranges;
  ranges.add(-std::numeric_limits<float>::max(), std::numeric_limits<float>::max());
  EXPECT_EQ(ranges.average()->lo, -8388608);
  EXPECT_EQ(ranges.average()->hi, 8388608);
  for (int doubling = 0; doubling < 15; ++doubling) ranges.merge(ImageRanges(ranges));
  EXPECT_EQ(ranges.images, 32768);
  EXPECT_EQ(kind_of([&] { ranges.merge(ImageRanges(ranges)); }), ErrorKind::kInvalidInput);
}

TEST(TensorStatistics, ShowAClipTheValuesBeforeTheActivationAndTheAverageRange) {
  TensorStatistics statistics;
  statistics.add(Tensor::from<float>({2}, std::vector<float>{0, 2}));
  EXPECT_TRUE(statistics.activation_values().before.empty());
  EXPECT_FALSE(statistics.activation_values().average.has_value());
  statistics.before.emplace();
  add_with_parts(Tensor::from<float>({2}, std::vector<float>{-3, 2}),
                 Tensor::from<float>({2}, std::vector<float>{0, 2}), statistics);
  const ActivationValues seen = statistics.activation_values();
  EXPECT_EQ(seen.values.total, 4);
  EXPECT_EQ(seen.before.total, 2);
  EXPECT_NEAR(seen.before.min(), -3, 3.0 / 64);
  EXPECT_EQ(seen.average->hi, 2);
}

TEST(CalibrationTable, AnyPartitionMergedInAnyOrderIsTheSingleRunByteForByte) {
  const std::string single = table_of(all_images()).to_text();
  expect_holds([&] {
    const int count = *rc::gen::inRange(1, 6);
    const auto shard_of_image = *rc::gen::container<std::vector<int>>(kImages, rc::gen::inRange(0, count));
    std::vector<CalibrationTable> left = shards_of(shard_of_image, count);
    // Merge two random ones until one is left: any order, any grouping.
    while (left.size() > 1) {
      const auto i = *rc::gen::inRange<std::size_t>(0, left.size());
      CalibrationTable picked = left[i];
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
      const auto j = *rc::gen::inRange<std::size_t>(0, left.size());
      left[j] = merge(left[j], picked);
      RC_ASSERT(left[j].complete() == (left.size() == 1));
    }
    RC_ASSERT(left.front().to_text() == single);
  });
}

TEST(CalibrationTable, APartialMergeSaysWhichShardsAreIn) {
  const auto shards = shards_of({0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}, 4);
  const CalibrationTable partial = merge(shards[3], shards[1]);
  EXPECT_EQ(partial.shard_count, 4);
  EXPECT_EQ(partial.shards, (std::vector<std::int64_t>{1, 3}));
  EXPECT_FALSE(partial.complete());
}

TEST(CalibrationTable, CompleteTablesOverDifferentImagesMergeToACompleteOne) {
  const CalibrationTable merged = merge(table_of({0, 1, 2}), table_of({3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(merged.to_text(), table_of(all_images()).to_text());
}

TEST(CalibrationTable, MergeRefusesTablesThatDoNotBelongTogether) {
  const CalibrationTable a = table_of({0, 1});
  const CalibrationTable b = table_of({2, 7});
  CalibrationTable other = b;
  other.model_sha256 = "another";
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.graph_fingerprint = "another";
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.preprocess = "{}";
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.statistics = "sampled";
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.tensors.erase("logits");
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.tensors["conv"].channels.pop_back();
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.tensors["conv"].histogram = FloatHistogram(18);
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.tensors["conv"].before.reset();
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
  other = b;
  other.tensors["conv"].before->histogram = FloatHistogram(18);
  EXPECT_EQ(kind_of([&] { merge(a, other); }), ErrorKind::kStale);
}

TEST(CalibrationTable, MergeRefusesToCountAnImageOrAShardTwice) {
  EXPECT_EQ(kind_of([] { merge(table_of({0, 1}), table_of({1, 2})); }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_of([] { merge(table_of({7}), table_of({7})); }), ErrorKind::kInvalidInput);
  const auto shards = shards_of(std::vector<int>(kImages, 0), 2);
  EXPECT_EQ(kind_of([&] { merge(shards[1], shards[1]); }), ErrorKind::kInvalidInput);  // empty, but twice
  EXPECT_EQ(kind_of([&] { merge(shards[1], table_of({1})); }), ErrorKind::kInvalidInput);
}

TEST(CalibrationTable, ComesBackFromItsFileWithTheSameBytes) {
  const testing::TemporaryFolder folder;
  CalibrationTable table = table_of(all_images());
  table.shard_count = 9;
  table.shards = {2, 5};
  table.tensors["never/ran"] = {};
  table.save(folder / "calibration.json");
  const CalibrationTable back = CalibrationTable::load(folder / "calibration.json");
  EXPECT_EQ(back.tensors, table.tensors);
  EXPECT_EQ(back.images, table.images);
  EXPECT_EQ(back.bad_images, table.bad_images);
  EXPECT_EQ(back.shards, table.shards);
  EXPECT_EQ(back.shard_count, table.shard_count);
  EXPECT_EQ(back.preprocess, table.preprocess);
  EXPECT_EQ(back.to_text(), read_file(folder / "calibration.json"));
  EXPECT_EQ(back.fingerprint(), table.fingerprint());
}

TEST(CalibrationTable, KeepsEveryFloatBoundExactly) {
  expect_holds([](std::uint32_t pattern, bool large) {
    // RapidCheck draws small numbers more often: use them from either end of the pattern.
    auto value = std::bit_cast<float>(large ? pattern << 16 | pattern >> 16 : pattern);
    if (!std::isfinite(value)) value = std::numeric_limits<float>::max();
    CalibrationTable table;
    table.tensors["t"].add(Tensor::from<float>({1}, std::vector<float>{value}));
    const CalibrationTable back = CalibrationTable::from_json(table.to_json(), "t");
    RC_ASSERT(back.tensors == table.tensors);
  });
}

TEST(CalibrationTable, DescribesEachTensorForPeople) {
  CalibrationTable table;
  table.tensors["t"].add(Tensor::from<float>({4}, std::vector<float>{0, 1, 2, 1}));
  const Json json = table.to_json();
  EXPECT_EQ(json.at("schema"), "cleave.calibration/1");
  const Json& tensor = json.at("tensors").at("t");
  EXPECT_NEAR(tensor.at("mean").get<double>(), 1.0, 0.01);
  EXPECT_NEAR(tensor.at("variance").get<double>(), 0.5, 0.02);
  EXPECT_EQ(tensor.at("percentiles").at(2).at(0), 0.5);
  EXPECT_NEAR(tensor.at("percentiles").at(2).at(1).get<double>(), 1.0, 0.01);
}

TEST(CalibrationTable, WritesOneLinePerTensorAndPerImage) {
  const std::string text = table_of(all_images()).to_text();
  EXPECT_EQ(parse_json(text, "text"), table_of(all_images()).to_json());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + 10 + (11 + 1) + (2 + 1) + (1 + 1) + (1 + 1));
}

TEST(CalibrationTable, ItsFingerprintIsThatOfItsDocument) {
  for (const auto& images : {std::vector<std::int64_t>{}, {7}, all_images()}) {
    const CalibrationTable table = table_of(images);
    EXPECT_EQ(table.fingerprint(), json_fingerprint(table.to_json()));
  }
}

TEST(CalibrationTable, IsUsedForItsOwnGraphWhenAllShardsAreIn) {
  CalibrationTable table = table_of({0});
  table.require_made_from("g");
  EXPECT_EQ(kind_of([&] { table.require_made_from("h"); }), ErrorKind::kStale);
  table.shard_count = 3;
  table.shards = {0, 2};
  EXPECT_EQ(kind_of([&] { table.require_made_from("g"); }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_of([&] { table.require_complete(); }), ErrorKind::kInvalidInput);
}

TEST(CalibrationTable, NamesATensorThatItDoesNotHold) {
  const CalibrationTable table = table_of({0});
  EXPECT_EQ(&table.tensor("conv"), &table.tensors.at("conv"));
  try {
    table.tensor("convv");
    FAIL() << "an unknown tensor was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStale);
    EXPECT_NE(std::string(error.what()).find("did you mean 'conv'"), std::string::npos) << error.what();
  }
}

TEST(CalibrationTable, HashesTheImageListByPathAndContent) {
  CalibrationTable table = table_of({0, 1});
  const std::string hash = table.image_list_hash();
  EXPECT_EQ(hash.size(), 64U);
  table.images[0].jpeg_bytes += 1;
  EXPECT_EQ(table.image_list_hash(), hash);
  table.images[0].sha256 = "other";
  EXPECT_NE(table.image_list_hash(), hash);
}

/// Reads a damaged document: either a table that writes itself again, or Error(kInvalidInput).
void read_damaged(const Json& json) {
  try {
    const CalibrationTable table = CalibrationTable::from_json(json, "damaged.json");
    EXPECT_EQ(CalibrationTable::from_json(table.to_json(), "again").to_text(), table.to_text());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << error.what();
    EXPECT_EQ(std::string(error.what()).rfind("damaged.json", 0), 0U) << error.what();
  }
}

void collect_places(const Json& json, const Json::json_pointer& here, std::vector<Json::json_pointer>& places) {
  places.push_back(here);
  if (!json.is_structured()) return;
  for (const auto& [key, value] : json.items()) {
    if (json.is_array()) {
      collect_places(value, here / static_cast<std::size_t>(std::stoul(key)), places);
    } else {
      collect_places(value, here / key, places);
    }
  }
}

TEST(CalibrationTableReader, SurvivesEveryValueReplacedByEveryOther) {
  const Json good = table_of({0, 3, 7}).to_json();
  std::vector<Json::json_pointer> places;
  collect_places(good, Json::json_pointer(), places);
  ASSERT_GT(places.size(), 60U);
  const std::vector<Json> values = {
      nullptr, true,   -1,    0,     1.5,           18446744073709551615U, 1e300,
      "",      "AAAA", "AQE", "x/y", Json::array(), Json::object(),        Json::array({1, 2})};
  for (const Json::json_pointer& place : places) {
    for (const Json& value : values) {
      Json damaged = good;
      damaged[place] = value;
      SCOPED_TRACE(place.to_string() + " = " + value.dump());
      read_damaged(damaged);
    }
  }
}

const std::set<std::string> kOptionalKeys = {"tool",     "mean",   "variance",    "percentiles",
                                             "channels", "before", "image_ranges"};

TEST(CalibrationTableReader, RefusesEveryMissingKeyAndEveryUnknownOne) {
  const Json good = table_of({0, 3, 7}).to_json();
  for (const char* object :
       {"", "/shard", "/images/0", "/tensors/conv", "/tensors/conv/histogram", "/tensors/conv/channels",
        "/tensors/conv/before", "/tensors/conv/before/histogram", "/tensors/conv/image_ranges"}) {
    const Json::json_pointer place(object);
    for (const auto& [key, value] : good[place].items()) {
      const bool optional = kOptionalKeys.contains(key);
      Json damaged = good;
      damaged[place].erase(key);
      SCOPED_TRACE(std::string(object) + "/" + key);
      if (optional) continue;
      EXPECT_THROW(CalibrationTable::from_json(damaged, "t"), Error);
    }
    Json damaged = good;
    damaged[place]["surprise"] = 1;
    EXPECT_THROW(CalibrationTable::from_json(damaged, "t"), Error) << object;
  }
}

TEST(CalibrationTableReader, SurvivesEveryByteChangedAndEveryTruncation) {
  const std::string good = table_of({0, 3}).to_text();
  expect_holds([&] {
    std::string damaged = good;
    const auto at = *rc::gen::inRange<std::size_t>(0, good.size());
    if (*rc::gen::arbitrary<bool>()) {
      damaged.resize(at);
    } else {
      damaged[at] = *rc::gen::arbitrary<char>();
    }
    try {
      CalibrationTable::from_json(parse_json(damaged, "t"), "t");
    } catch (const Error& error) {
      RC_ASSERT(error.kind() == ErrorKind::kInvalidInput);
    }
  });
}

TEST(CalibrationTableReader, RefusesCountsThatContradictEachOther) {
  const Json good = table_of({0}).to_json();
  const auto refused = [&](const char* place, const Json& value) {
    Json damaged = good;
    damaged[Json::json_pointer(place)] = value;
    EXPECT_THROW(CalibrationTable::from_json(damaged, "t"), Error) << place;
  };
  refused("/tensors/conv/count", 59);  // the histogram holds 60
  refused("/tensors/conv/before/count", 59);
  refused("/tensors/conv/image_ranges/images", 0);
  refused("/tensors/conv/image_ranges/min_sum", std::int64_t{1} << 50);
  refused("/tensors/conv/zeros", 61);
  refused("/tensors/conv/nans", 61);
  refused("/tensors/conv/min", nullptr);          // nothing seen, yet counted
  refused("/tensors/conv/channels/count/1", 19);  // the channel's histogram holds 20
  refused("/tensors/conv/histogram/shift", 18);   // other bins, and infinities among them or not: counts move
  refused("/statistics", "some");
  refused("/shard/indices", Json::array({1}));
  refused("/shard/indices", Json::array({0, 0}));
  refused("/shard", {{"count", 2}, {"indices", Json::array({0, 1})}});  // all in: count 1
  refused("/bad_images", Json::array({"b", "a"}));
}

}  // namespace
}  // namespace cleave::quant
