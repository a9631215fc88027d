#include "refusals.h"

#include "core/file.h"
#include "core/text.h"
#include "support/shared.h"

namespace cleave::conformance {

const std::map<std::string, std::string>& refusals() {
  static const std::map<std::string, std::string> kListed = [] {
    std::map<std::string, std::string> listed;
    for (const std::string& line :
         split_text(read_file(testing::source_dir() / "tests/conformance/refusals.txt"), '\n')) {
      const std::size_t colon = line.find(": ");
      if (line.starts_with("#") || colon == std::string::npos) continue;
      listed[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return listed;
  }();
  return kListed;
}

}  // namespace cleave::conformance
