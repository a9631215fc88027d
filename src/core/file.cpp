#include "core/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/error.h"

namespace cleave {
namespace fs = std::filesystem;

namespace {

Error io_error(const std::string& path, const std::string& action) {
  return Error(ErrorKind::kIo, path + ": cannot " + action + ": " + std::strerror(errno));
}

/// Closes on scope exit.
struct Descriptor {
  int value = -1;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw io_error(path, "write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_parent(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.value >= 0) ::fsync(folder.value);
}

using Pieces = std::function<void(const PieceSink&)>;

/// Small pieces go to the file together.
void write_pieces(int descriptor, const Pieces& pieces, const std::string& path) {
  constexpr std::size_t kTogether = 1 << 16;
  std::string waiting;
  pieces([&](std::string_view piece) {
    if (waiting.size() + piece.size() < kTogether) {
      waiting += piece;
      return;
    }
    write_all(descriptor, waiting, path);
    write_all(descriptor, piece, path);
    waiting.clear();
  });
  write_all(descriptor, waiting, path);
}

void write_through(const fs::path& path, const Pieces& pieces) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (file.value < 0) throw io_error(path.string(), "open for writing");
  write_pieces(file.value, pieces, path.string());
}

fs::path temporary_beside(const fs::path& path) {
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(::getpid()) + ".tmp");
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw io_error(path.string(), "open");
  return from_descriptor(descriptor, path.string());
}

std::shared_ptr<const MappedFile> MappedFile::from_descriptor(int descriptor, const std::string& name) {
  const Descriptor file{descriptor};
  struct stat status {};
  if (::fstat(file.value, &status) != 0) throw io_error(name, "read its status");
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::kIo, name + ": not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0));
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (data == MAP_FAILED) throw io_error(name, "map");
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string read_file(const fs::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) throw io_error(path.string(), "open");
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(file.value, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error(path.string(), "read");
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_file_atomically(path, [bytes](const PieceSink& sink) { sink(bytes); });
}

void write_file_atomically(const fs::path& path, const Pieces& pieces) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) return write_through(path, pieces);
  const fs::path temporary = temporary_beside(path);
  try {
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.value < 0) throw io_error(path.string(), "create");
    write_pieces(file.value, pieces, path.string());
    if (::fsync(file.value) != 0) throw io_error(path.string(), "sync");
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw io_error(path.string(), "rename into place");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_parent(path);
}

AtomicFolder::AtomicFolder(const fs::path& path, std::vector<std::string> outdated)
    : path_(path.has_filename() ? path : path.parent_path()),
      staging_(temporary_beside(path_)),
      outdated_(std::move(outdated)) {
  std::error_code code;
  if (fs::exists(path_, code) && !fs::is_directory(path_, code)) {
    throw Error(ErrorKind::kIo, path_.string() + ": exists and is not a folder", "Name another folder with -o.");
  }
  fs::remove_all(staging_, code);
  if (!fs::create_directories(staging_, code)) {
    throw Error(ErrorKind::kIo, path_.string() + ": cannot create: " + code.message());
  }
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void AtomicFolder::require_nothing_lost() const {
  std::error_code code;
  std::vector<std::string> lost;
  fs::directory_iterator entries(path_, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    const std::string name = entries->path().filename().string();
    const bool known = std::find(outdated_.begin(), outdated_.end(), name) != outdated_.end();
    if (!known && !fs::exists(staging_ / name)) lost.push_back(name);
  }
  if (code) throw Error(ErrorKind::kIo, path_.string() + ": cannot list: " + code.message());
  if (lost.empty()) return;
  throw Error(ErrorKind::kIo,
              path_.string() + ": holds '" + *std::min_element(lost.begin(), lost.end()) + "', which would be lost",
              "Name another folder with -o, or move it away first.");
}

void AtomicFolder::commit() {
  std::error_code code;
  fs::path old;
  if (fs::exists(path_, code)) {
    require_nothing_lost();
    old = staging_;
    old += ".old";
    fs::rename(path_, old, code);
    if (code) throw Error(ErrorKind::kIo, path_.string() + ": cannot replace: " + code.message());
  }
  fs::rename(staging_, path_, code);
  if (code) throw Error(ErrorKind::kIo, path_.string() + ": cannot rename into place: " + code.message());
  committed_ = true;
  sync_parent(path_);
  if (!old.empty()) fs::remove_all(old, code);
}

}  // namespace cleave
