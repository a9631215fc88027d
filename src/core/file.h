#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave {

/// A file mapped read-only into memory; unmapped when the last copy of the pointer goes.
class MappedFile {
 public:
  /// Maps the whole file. Throws Error(kIo) when it cannot be opened, is not a regular file, or cannot be mapped.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  /// Maps an open descriptor (and takes it over). `name` is for messages.
  static std::shared_ptr<const MappedFile> from_descriptor(int descriptor, const std::string& name);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_;
  std::size_t size_;
};

/// The whole file as bytes. Throws Error(kIo).
std::string read_file(const std::filesystem::path& path);

/// Writes bytes to a temporary file beside `path`, syncs and renames it: the old file or the new one, never a part.
/// A path that exists and is no regular file (/dev/stdout, /dev/full, a pipe) is written directly.
/// Throws Error(kIo) and removes the temporary file.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
/// The same with bytes that come piece by piece, for documents that need not be in memory as a whole: `pieces` is
/// called once, with what takes each.
using PieceSink = std::function<void(std::string_view)>;
void write_file_atomically(const std::filesystem::path& path, const std::function<void(const PieceSink&)>& pieces);

/// A folder that is filled under a temporary name beside `path` and renamed on commit(); removed if never committed.
class AtomicFolder {
 public:
  /// An older folder at `path` is replaced only if nothing in it would be lost: all it holds is also in the new one, or
  /// is among `outdated`. Throws Error(kIo) when the parent cannot be written, or `path` exists and is not a folder.
  explicit AtomicFolder(const std::filesystem::path& path, std::vector<std::string> outdated = {});
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  /// Where to write until commit().
  const std::filesystem::path& staging() const { return staging_; }
  /// Replaces `path` (an older folder is moved away first, then removed). Throws Error(kIo), also when the older folder
  /// holds what the new one lacks.
  void commit();

 private:
  void require_nothing_lost() const;

  std::filesystem::path path_;
  std::filesystem::path staging_;
  std::vector<std::string> outdated_;
  bool committed_ = false;
};

}  // namespace cleave
