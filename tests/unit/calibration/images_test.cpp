#include "calibration/images.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "picture.h"
#include "support/temporary_folder.h"

namespace cleave::calibration {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;
using Paths = std::vector<std::string>;

void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, "");
}

Paths listed(const std::string& text) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "list.txt", text);
  return ImageSet::open(folder / "list.txt").paths();
}

ErrorKind kind_of(const fs::path& path) {
  try {
    ImageSet::open(path);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << path << " was accepted";
  return ErrorKind::kUsage;
}

/// A list file's set of these many images.
ImageSet numbered(const TemporaryFolder& folder, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "class" + std::to_string(i % 7) + "/image" + std::to_string(i) + ".jpg\n";
  write_file_atomically(folder / "list.txt", text);
  return ImageSet::open(folder / "list.txt");
}

Paths shard_of(ImageSet set, std::int64_t index, std::int64_t count) {
  set.shard(index, count);
  return set.paths();
}

TEST(ImageSet, FindsImagesInAllFoldersByEndingInAnyCaseSorted) {
  const TemporaryFolder folder;
  for (const char* name : {"b.jpg", "a/z.JPEG", "a/b/c.Png", "a.webp", "n.npy", "x.ppm", "y.pgm", "t.TIF", "u.bmp"}) {
    touch(folder / name);
  }
  for (const char* name : {"notes.txt", "jpg", "a/._b.jpg", ".hidden.png", "c.jpg.part"}) touch(folder / name);
  fs::create_directories(folder / "folder.jpg");
  EXPECT_EQ(ImageSet::open(folder.path()).paths(),
            (Paths{"a.webp", "a/b/c.Png", "a/z.JPEG", "b.jpg", "n.npy", "t.TIF", "u.bmp", "x.ppm", "y.pgm"}));
  EXPECT_EQ(ImageSet::open(folder.path()).root(), folder.path());
}

TEST(ImageSet, ATrailingSlashMakesNoDifference) {
  const TemporaryFolder folder;
  touch(folder / "a/b.jpg");
  EXPECT_EQ(ImageSet::open(folder.path().string() + "/").paths(), (Paths{"a/b.jpg"}));
}

TEST(ImageSet, AListSkipsCommentsAndBlankLinesAndSorts) {
  EXPECT_EQ(listed("# a comment\n\n  b.jpg  \r\n./a.png\n"), (Paths{"a.png", "b.jpg"}));
}

TEST(ImageSet, ALabelFileIsAList) {
  EXPECT_EQ(listed("x/b.jpg 3\na.jpg\t12\n"), (Paths{"a.jpg", "x/b.jpg"}));
}

TEST(ImageSet, PathsInAListMayHoldBlanks) {
  EXPECT_EQ(listed("my photo.jpg\nmy other photo.jpg 4\n"), (Paths{"my other photo.jpg", "my photo.jpg"}));
}

TEST(ImageSet, OneImageIsASet) {
  const TemporaryFolder folder;
  touch(folder / "a.jpg");
  EXPECT_EQ(ImageSet::open(folder / "a.jpg").paths(), (Paths{"a.jpg"}));
  EXPECT_EQ(ImageSet::open(folder / "a.jpg").root(), folder.path());
}

TEST(ImageSet, RefusesWhatIsMissingEmptyListedTwiceOrNoImage) {
  const TemporaryFolder folder;
  EXPECT_EQ(kind_of(folder / "absent"), ErrorKind::kIo);
  EXPECT_EQ(kind_of(folder.path()), ErrorKind::kInvalidInput);
  write_file_atomically(folder / "empty.txt", "# nothing\n");
  EXPECT_EQ(kind_of(folder / "empty.txt"), ErrorKind::kInvalidInput);
  write_file_atomically(folder / "twice.txt", "a.jpg\n./a.jpg\n");
  EXPECT_EQ(kind_of(folder / "twice.txt"), ErrorKind::kInvalidInput);
  write_file_atomically(folder / "other.txt", "a.jpg\nwhat is this\n");
  EXPECT_EQ(kind_of(folder / "other.txt"), ErrorKind::kInvalidInput);
}

TEST(ImageSet, AFewOfAListWhoseClassesTakeTurnsMeetAllClasses) {
  const TemporaryFolder folder;
  std::string list;
  for (int i = 1000; i < 1320; ++i) list += std::to_string(i) + ".png\n";
  write_file_atomically(folder / "list.txt", list);
  ImageSet set = ImageSet::open(folder / "list.txt");
  set.spread(80);
  std::set<int> numbers, classes;
  for (const std::string& path : set.paths()) {
    numbers.insert(std::stoi(path));
    classes.insert(std::stoi(path) % 16);  // every fourth alone would meet four of them
  }
  EXPECT_EQ(numbers.size(), 80U);
  EXPECT_EQ(classes.size(), 16U);
  EXPECT_TRUE(std::is_sorted(set.paths().begin(), set.paths().end()));
}

TEST(ImageSet, ALimitKeepsTheFirstInOrder) {
  const TemporaryFolder folder;
  ImageSet set = numbered(folder, 20);
  const Paths all = set.paths();
  set.limit(0);
  EXPECT_EQ(set.paths(), all);
  set.limit(5);
  EXPECT_EQ(set.paths(), Paths(all.begin(), all.begin() + 5));
  set.limit(50);
  EXPECT_EQ(set.paths().size(), 5U);
  EXPECT_THROW(set.limit(-1), Error);
}

TEST(ImageSet, ShardsArePartitions) {
  const TemporaryFolder folder;
  const bool held = rc::check([&] {
    const ImageSet set = numbered(folder, *rc::gen::inRange(1, 60));
    const auto count = *rc::gen::inRange<std::int64_t>(1, 12);
    Paths together;
    for (std::int64_t i = 0; i < count; ++i) {
      const Paths part = shard_of(set, i, count);
      RC_ASSERT(std::is_sorted(part.begin(), part.end()));
      together.insert(together.end(), part.begin(), part.end());
    }
    std::sort(together.begin(), together.end());
    RC_ASSERT(together == set.paths());
  });
  EXPECT_TRUE(held);
}

TEST(ImageSet, TheShardOfAnImageIsTheStableHashOfItsPath) {
  const TemporaryFolder folder;
  const ImageSet set = numbered(folder, 40);
  for (std::int64_t i = 0; i < 4; ++i) {
    for (const std::string& path : shard_of(set, i, 4)) EXPECT_EQ(stable_hash(path) % 4, static_cast<std::uint64_t>(i));
  }
}

TEST(ImageSet, RefusesShardsThatDoNotExist) {
  const TemporaryFolder folder;
  const ImageSet set = numbered(folder, 3);
  for (const auto& [index, count] : std::vector<std::pair<int, int>>{{2, 2}, {-1, 2}, {0, 0}, {0, -3}}) {
    EXPECT_THROW(shard_of(set, index, count), Error);
  }
}

TEST(Sample, AnArrayIsTakenAsItIsWithOrWithoutItsBatch) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, -2, 3, 4, 5, 1e9F};
  const Preprocess preprocess = Preprocess::find("imagenet");
  for (const Shape& shape : {Shape{3, 1, 2}, Shape{1, 3, 1, 2}}) {
    write_file_atomically(folder / "x.npy", npy_bytes(Tensor::from<float>(shape, values)));
    const Sample sample = load_sample(folder / "x.npy", preprocess, {1, 3, 1, 2}, true);
    EXPECT_EQ(sample.input.shape(), (Shape{1, 3, 1, 2}));
    EXPECT_EQ(sample.input.data<float>()[5], 1e9F);
    EXPECT_EQ(sample.jpeg_bytes, 0);
  }
}

TEST(Sample, BytesInAnArrayBecomeFloatsUnscaled) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x.npy",
                        npy_bytes(Tensor::from<std::uint8_t>({2}, std::vector<std::uint8_t>{7, 255})));
  const Sample sample = load_sample(folder / "x.npy", Preprocess(), {1, 2}, false);
  EXPECT_EQ(sample.input.data<float>()[1], 255.0F);
}

TEST(Sample, SaysWhenAShapeOrTypeDoesNotFit) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "t.npy", npy_bytes(Tensor(DType::kFloat32, {2, 3})));
  EXPECT_THROW(load_sample(folder / "t.npy", Preprocess(), {1, 3, 2}, false), Error);
  write_file_atomically(folder / "i.npy", npy_bytes(Tensor(DType::kInt32, {2, 3})));
  EXPECT_THROW(load_sample(folder / "i.npy", Preprocess(), {2, 3}, false), Error);
  testing::write_ppm(folder / "p.ppm", 2, 3, testing::colourful(2, 3));
  try {
    load_sample(folder / "p.ppm", Preprocess(), {1, 3, 3, 2}, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("p.ppm: shape 1x3x2x3 does not fit the network input 1x3x3x2"),
              std::string::npos);
  }
}

TEST(Sample, MeasuresTheJpegOfAnImageOnRequest) {
  const TemporaryFolder folder;
  testing::write_ppm(folder / "p.ppm", 8, 8, testing::colourful(8, 8));
  EXPECT_EQ(load_sample(folder / "p.ppm", Preprocess(), {1, 3, 8, 8}, false).jpeg_bytes, 0);
  const std::int64_t measured = load_sample(folder / "p.ppm", Preprocess(), {1, 3, 8, 8}, true).jpeg_bytes;
  EXPECT_EQ(measured, jpeg_bytes(load_pixels(folder / "p.ppm", Preprocess())));
}

}  // namespace
}  // namespace cleave::calibration
