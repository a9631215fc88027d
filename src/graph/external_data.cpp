#include "graph/external_data.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace cleave::graph {

namespace {

constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;

Error refused(const std::string& location, const std::string& why) {
  return Error(ErrorKind::kInvalidInput, "external data '" + location + "': " + why,
               "External data must be a regular file below the model's folder, without links.");
}

/// Closes on scope exit unless released.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() {
    const int value = value_;
    value_ = -1;
    return value;
  }
  void reset(int value) {
    if (value_ >= 0) ::close(value_);
    value_ = value;
  }

 private:
  int value_;
};

std::vector<std::string> checked_parts(const std::string& location) {
  if (location.empty()) throw refused(location, "the location is empty");
  if (location.find('\0') != std::string::npos) throw refused(location, "the location contains a zero byte");
  if (location.front() == '/') throw refused(location, "an absolute path leaves the model's folder");
  std::vector<std::string> parts;
  for (const std::string& part : split_text(location, '/')) {
    if (part == "..") throw refused(location, "'..' leaves the model's folder");
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  if (parts.empty()) throw refused(location, "not a regular file");
  return parts;
}

Error open_failed(const std::string& location, int error) {
  if (error == ELOOP) return refused(location, "a symbolic link is on the way");
  if (error == EXDEV) return refused(location, "the path leaves the model's folder");
  return refused(location, std::string("cannot open: ") + std::strerror(error));
}

/// -1 with errno ENOSYS or EPERM where the kernel or a sandbox does not have the call.
int open_by_kernel(int folder, const std::string& location) {
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(kOpenFlags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, location.c_str(), &how, sizeof(how)));
}

int open_by_walk(int folder, const std::vector<std::string>& parts) {
  Descriptor current(::dup(folder));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    const int next = ::openat(current.get(), parts[i].c_str(), is_last ? kOpenFlags : kOpenFlags | O_DIRECTORY);
    if (next < 0) return -1;
    current.reset(next);
  }
  return current.release();
}

void require_plain_file(int descriptor, const std::string& location) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw open_failed(location, errno);
  if (!S_ISREG(status.st_mode)) throw refused(location, "not a regular file");
  if (status.st_nlink > 1) throw refused(location, "a hard link, so its bytes may belong elsewhere");
}

}  // namespace

int open_beneath(const std::filesystem::path& folder, const std::string& location, PathGuard guard) {
  const std::vector<std::string> parts = checked_parts(location);
  const std::string root = folder.empty() ? "." : folder.string();
  const Descriptor base(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (base.get() < 0) throw refused(location, "cannot open the model's folder: " + std::string(std::strerror(errno)));
  int opened = -1;
  if (guard == PathGuard::kKernel) opened = open_by_kernel(base.get(), location);
  if (guard == PathGuard::kWalk || (opened < 0 && (errno == ENOSYS || errno == EPERM))) {
    opened = open_by_walk(base.get(), parts);
  }
  if (opened < 0) throw open_failed(location, errno);
  Descriptor file(opened);
  require_plain_file(file.get(), location);
  return file.release();
}

ExternalData::Piece ExternalData::read(const std::string& location, std::int64_t offset,
                                       std::optional<std::int64_t> length) {
  std::shared_ptr<const MappedFile>& file = files_[location];
  if (file == nullptr) file = MappedFile::from_descriptor(open_beneath(folder_, location), location);
  const auto size = static_cast<std::int64_t>(file->bytes().size());
  if (offset < 0 || offset > size) {
    throw refused(location,
                  "offset " + std::to_string(offset) + " lies outside its " + std::to_string(size) + " bytes");
  }
  const std::int64_t wanted = length.value_or(size - offset);
  if (wanted < 0 || wanted > size - offset) {
    throw refused(location, std::to_string(wanted) + " bytes at offset " + std::to_string(offset) +
                                " lie outside its " + std::to_string(size) + " bytes");
  }
  return {file->bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(wanted)), file};
}

}  // namespace cleave::graph
