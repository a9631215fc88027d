#include "support/shared.h"

namespace cleave::testing {

std::filesystem::path shared_dir() {
  return CLEAVE_SHARED_DIR;
}
bool has_shared() {
  return std::filesystem::is_directory(shared_dir() / "data");
}
std::filesystem::path source_dir() {
  return CLEAVE_SOURCE_DIR;
}

}  // namespace cleave::testing
