#include "config/presets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "cost/device.h"
#include "cost/link.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::config {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_in(const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(testing::source_dir() / "configs" / kind)) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Presets, AreEveryFileOfTheSourceTree) {
  for (const char* kind : {"devices", "links"}) {
    EXPECT_EQ(preset_names(kind), files_in(kind));
    EXPECT_FALSE(preset_names(kind).empty());
    for (const std::string& name : preset_names(kind)) {
      const fs::path path = testing::source_dir() / "configs" / kind / (name + ".json");
      EXPECT_EQ(find_document(kind, name).json, read_json(path)) << name;
    }
  }
}

TEST(Presets, OfDevicesAreValidAndNamedAfterTheirFilesWithProvenance) {
  for (const std::string& name : preset_names("devices")) {
    const Found found = find_document("devices", name);
    EXPECT_EQ(found.origin, "configs/devices/" + name + ".json");
    EXPECT_EQ(cost::Device::from_json(found.json, found.origin).name, name);
    EXPECT_TRUE(found.json.contains("provenance")) << name;
  }
}

TEST(Presets, OfLinksAreValidAndNamedAfterTheirFilesWithProvenance) {
  for (const std::string& name : preset_names("links")) {
    const Found found = find_document("links", name);
    EXPECT_EQ(cost::Link::from_json(found.json, found.origin).name, name);
    EXPECT_TRUE(found.json.contains("provenance")) << name;
  }
}

TEST(Presets, AgreeWithWhatIsPublished) {
  const auto device = [](const std::string& name) {
    return cost::Device::from_json(find_document("devices", name).json, name);
  };
  const auto eyeriss = std::get<cost::SystolicModel>(device("eyeriss").model);
  EXPECT_EQ(eyeriss.rows * eyeriss.columns, 168);
  EXPECT_EQ(eyeriss.bytes_per_s, 1e9);
  const auto tpu = std::get<cost::SystolicModel>(device("tpu-v1").model);
  EXPECT_NEAR(2 * static_cast<double>(tpu.rows * tpu.columns) * tpu.clock_hz, 92e12, 0.5e12);
  EXPECT_EQ(device("tpu-v1").float_bits.count, 16);
  const auto link = [](const std::string& name) {
    return cost::Link::from_json(find_document("links", name).json, name);
  };
  EXPECT_EQ(link("3mbps").upload_bytes_per_s, 3e6 / 8);
  EXPECT_EQ(link("autosplit-3mbps").upload_bytes_per_s, 3.0 * (1 << 20) / 8);
}

TEST(Documents, AreReadFromAPathToo) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder / "mine.json";
  write_file_atomically(path, R"({"a": 1})");
  const Found found = find_document("devices", path.string());
  EXPECT_EQ(found.json.at("a"), 1);
  EXPECT_EQ(found.origin, path.string());
}

TEST(Documents, PreferAFileToAPresetButNotAFolder) {
  const testing::TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file_atomically("eyeriss", R"({"mine": true})");
  fs::create_directory("unit");
  EXPECT_TRUE(find_document("devices", "eyeriss").json.contains("mine"));
  EXPECT_EQ(find_document("devices", "unit").origin, "configs/devices/unit.json");
  fs::current_path(before);
}

TEST(Documents, ThatAreNeitherAreAnsweredWithTheNearestAndTheList) {
  try {
    find_document("devices", "eyeris");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(error.what(), "'eyeris' is neither a file nor a preset of devices; did you mean 'eyeriss'?");
    for (const std::string& name : preset_names("devices")) {
      EXPECT_NE(error.hint().find(name), std::string::npos) << name;
    }
  }
  EXPECT_THROW(find_document("links", "eyeriss"), Error);
}

TEST(Documents, ThatAreNotJsonNameTheFile) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder / "broken.json";
  write_file_atomically(path, "{\n\"a\": }");
  try {
    find_document("devices", path.string());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find(path.string() + ":2"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace cleave::config
