#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "support/temporary_folder.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

std::int64_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST(WriteFileAtomically, ReplacesTheFileAndLeavesNothingElse) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "a.json", "old");
  write_file_atomically(folder / "a.json", "new");
  EXPECT_EQ(read_file(folder / "a.json"), "new");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(WriteFileAtomically, TakesPiecesOfAnySizeInTheirOrder) {
  const testing::TemporaryFolder folder;
  const std::string small(7, 'a'), large(200'000, 'b');
  write_file_atomically(folder / "pieces.txt", [&](const PieceSink& sink) {
    for (int i = 0; i < 10'000; ++i) sink(small);
    sink(large);
    sink("");
    sink("end");
  });
  EXPECT_EQ(read_file(folder / "pieces.txt"), std::string(70'000, 'a') + large + "end");
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenPiecesStopWithAnError) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "pieces.txt", "old");
  EXPECT_THROW(write_file_atomically(folder / "pieces.txt",
                                     [](const PieceSink& sink) {
                                       sink(std::string(100'000, 'x'));
                                       throw Error(ErrorKind::kInterrupted, "stop");
                                     }),
               Error);
  EXPECT_EQ(read_file(folder / "pieces.txt"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheFolderIsMissing) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(write_file_atomically(folder / "missing/a.json", "x"), Error);
  EXPECT_EQ(entries(folder.path()), 0);
}

TEST(WriteFileAtomically, ReportsAFullDiskAsAnIoError) {
  try {
    write_file_atomically("/dev/full", "x");
    FAIL() << "a full disk must be an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
  }
}

TEST(MappedFile, ShowsTheBytesOfARegularFile) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "data", "abc");
  const auto mapped = MappedFile::open(folder / "data");
  ASSERT_EQ(mapped->bytes().size(), 3U);
  EXPECT_EQ(mapped->bytes()[1], std::byte{'b'});
}

TEST(MappedFile, ShowsAnEmptyFileAsNoBytes) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "data", "");
  EXPECT_TRUE(MappedFile::open(folder / "data")->bytes().empty());
}

TEST(MappedFile, RefusesWhatIsNoRegularFile) {
  const testing::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(MappedFile::open(folder / "pipe"), Error);
  EXPECT_THROW(MappedFile::open(folder.path()), Error);
  EXPECT_THROW(MappedFile::open("/dev/zero"), Error);
  EXPECT_THROW(MappedFile::open(folder / "missing"), Error);
}

TEST(AtomicFolder, AppearsOnlyOnCommit) {
  const testing::TemporaryFolder folder;
  {
    AtomicFolder bundle(folder / "bundle");
    write_file_atomically(bundle.staging() / "a", "1");
    EXPECT_FALSE(fs::exists(folder / "bundle"));
    bundle.commit();
  }
  EXPECT_EQ(read_file(folder / "bundle/a"), "1");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFolder, LeavesTheOldFolderWhenNeverCommitted) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "bundle");
  write_file_atomically(folder / "bundle/a", "old");
  { const AtomicFolder bundle(folder / "bundle"); }
  EXPECT_EQ(read_file(folder / "bundle/a"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFolder, ReplacesAnOlderFolderAsAWhole) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "bundle");
  write_file_atomically(folder / "bundle/stale", "old");
  write_file_atomically(folder / "bundle/both", "old");
  AtomicFolder bundle(folder / "bundle", {"stale"});
  write_file_atomically(bundle.staging() / "fresh", "new");
  write_file_atomically(bundle.staging() / "both", "new");
  bundle.commit();
  EXPECT_EQ(read_file(folder / "bundle/both"), "new");
  EXPECT_FALSE(fs::exists(folder / "bundle/stale"));
  EXPECT_EQ(read_file(folder / "bundle/fresh"), "new");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFolder, NeverLosesWhatIsNotItsOwn) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "photos");
  write_file_atomically(folder / "photos/holiday.jpg", "precious");
  {
    AtomicFolder bundle(folder / "photos", {"stale"});
    write_file_atomically(bundle.staging() / "fresh", "new");
    EXPECT_THROW(bundle.commit(), Error);
  }
  EXPECT_EQ(read_file(folder / "photos/holiday.jpg"), "precious");
  EXPECT_FALSE(fs::exists(folder / "photos/fresh"));
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFolder, RefusesToReplaceAFile) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "bundle", "a file");
  EXPECT_THROW(AtomicFolder(folder / "bundle"), Error);
  EXPECT_EQ(read_file(folder / "bundle"), "a file");
}

}  // namespace
}  // namespace cleave
