#include "graph/external_data.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/file.h"
#include "graph/model.h"
#include "helpers.h"
#include "onnx_file.h"
#include "support/temporary_folder.h"

namespace cleave::graph {
namespace {

namespace fs = std::filesystem;
using cleave::testing::TemporaryFolder;
using testing::contains;
using testing::error_of;

/// A model folder with good weights beside and around it, and links that lead out.
struct Scene {
  TemporaryFolder folder;
  fs::path inside = folder / "model";

  Scene() {
    fs::create_directories(inside / "sub");
    std::string weights(96, '\0');
    for (int i = 0; i < 24; ++i) {
      const float value = static_cast<float>(i);
      std::memcpy(weights.data() + 4 * i, &value, 4);
    }
    for (const fs::path& path : {inside / "w.bin", inside / "sub" / "w.bin", folder / "outside.bin"}) {
      write_file_atomically(path, weights);
    }
    write_file_atomically(inside / "odd.bin", "x" + weights);
    fs::create_symlink(folder / "outside.bin", inside / "leaf.bin");
    fs::create_symlink("w.bin", inside / "near.bin");
    fs::create_directory_symlink(folder.path(), inside / "parent");
    fs::create_hard_link(folder / "outside.bin", inside / "hard.bin");
    ::mkfifo((inside / "fifo").c_str(), 0600);
  }
};

void open_and_close(const Scene& scene, const std::string& location, PathGuard guard) {
  ::close(open_beneath(scene.inside, location, guard));
}

TEST(ExternalData, EveryPathThatLeavesTheFolderIsRefusedByBothGuards) {
  const Scene scene;
  const std::string absolute = (scene.inside / "w.bin").string();
  for (const PathGuard guard : {PathGuard::kKernel, PathGuard::kWalk}) {
    for (const std::string& location :
         {std::string("../outside.bin"), std::string("sub/../../outside.bin"), std::string("sub/../w.bin"), absolute,
          std::string("/dev/zero"), std::string("leaf.bin"), std::string("near.bin"), std::string("parent/outside.bin"),
          std::string("hard.bin"), std::string("fifo"), std::string("sub"), std::string("."), std::string(""),
          std::string("missing.bin"), std::string("w.bin\0../x", 10), std::string("w.bin/") + "x"}) {
      const Error error = error_of([&] { open_and_close(scene, location, guard); });
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << location;
      EXPECT_TRUE(contains(error.what(), "external data '")) << error.what();
    }
  }
}

TEST(ExternalData, FilesBelowTheFolderAreOpenedByBothGuards) {
  const Scene scene;
  for (const PathGuard guard : {PathGuard::kKernel, PathGuard::kWalk}) {
    for (const char* location : {"w.bin", "sub/w.bin", "./w.bin", "sub//w.bin"}) {
      EXPECT_NO_THROW(open_and_close(scene, location, guard)) << location;
    }
  }
}

TEST(ExternalData, PiecesOutsideTheFileAreRefusedWithoutWrappingAround) {
  const Scene scene;
  ExternalData data(scene.inside);
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(data.read("w.bin", 0, std::nullopt).bytes.size(), 96u);
  EXPECT_EQ(data.read("w.bin", 90, 6).bytes.size(), 6u);
  EXPECT_EQ(data.read("w.bin", 96, std::nullopt).bytes.size(), 0u);
  for (const auto& [offset, length] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {97, 0}, {0, 97}, {90, 7}, {kHuge, kHuge}, {1, kHuge}, {kHuge, 1}, {-1, 4}, {0, -1}}) {
    const auto at = offset;
    const auto count = length;
    EXPECT_EQ(error_of([&] { data.read("w.bin", at, count); }).kind(), ErrorKind::kInvalidInput) << at << " " << count;
  }
}

Model load_with(const Scene& scene, const std::string& location, const std::string& offset, const std::string& length) {
  const std::string bytes =
      testing::small_model([&](onnx::ModelProto& model) { testing::make_external(model, location, offset, length); });
  write_file_atomically(scene.inside / "m.onnx", bytes);
  return Model::load(scene.inside / "m.onnx");
}

TEST(ExternalData, WeightsAreReadFromTheirFileEvenAtOddOffsets) {
  const Scene scene;
  for (const auto& [location, offset] :
       std::vector<std::pair<std::string, std::string>>{{"w.bin", ""}, {"sub/w.bin", "0"}, {"odd.bin", "1"}}) {
    const Model model = load_with(scene, location, offset, "96");
    const Tensor* weight = model.graph().constant(*model.graph().find("w"));
    ASSERT_NE(weight, nullptr);
    for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(weight->data<float>()[i], static_cast<float>(i));
  }
}

TEST(ExternalData, AModelWithEscapingOrWrongDataIsRefusedByName) {
  const Scene scene;
  const std::vector<std::vector<std::string>> cases{{"../outside.bin", "", ""},
                                                    {"/dev/zero", "", "96"},
                                                    {"leaf.bin", "", ""},
                                                    {"hard.bin", "", ""},
                                                    {"w.bin", "-4", ""},
                                                    {"w.bin", "4", "96"},
                                                    {"w.bin", "0", "1e2"},
                                                    {"w.bin", "0", "95"},
                                                    {"w.bin", "18446744073709551615", "96"},
                                                    {"w.bin", "9223372036854775807", "9223372036854775807"}};
  for (const auto& row : cases) {
    const Error error = error_of([&] { load_with(scene, row[0], row[1], row[2]); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << row[0] << " " << row[1] << " " << row[2];
    EXPECT_TRUE(contains(error.what(), "tensor 'w'")) << error.what();
  }
}

}  // namespace
}  // namespace cleave::graph
