#include "config/presets.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/embedded.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::config {

namespace {

std::string path_of(const EmbeddedFile& file) {
  return "configs/" + std::string(file.kind) + "/" + std::string(file.name) + ".json";
}

std::string presets_hint(const std::vector<std::string>& names) {
  const std::string path = "Give the path of a JSON file";
  return names.empty() ? path + "." : path + ", or one of: " + join_text(names, ", ") + ".";
}

Found found(Json json, const std::string& origin) {
  auto document = std::make_shared<const Json>(std::move(json));
  return {document, *document, origin};
}

}  // namespace

Found find_document(const std::string& kind, const std::string& name_or_path) {
  std::error_code ignored;
  if (std::filesystem::exists(name_or_path, ignored) && !std::filesystem::is_directory(name_or_path, ignored)) {
    return found(read_json(name_or_path), name_or_path);
  }
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.kind == kind && file.name == name_or_path)
      return found(parse_json(file.text, path_of(file)), path_of(file));
  }
  const std::vector<std::string> names = preset_names(kind);
  throw Error(ErrorKind::kUsage,
              "'" + name_or_path + "' is neither a file nor a preset of " + kind + did_you_mean(name_or_path, names),
              presets_hint(names));
}

std::vector<std::string> preset_names(const std::string& kind) {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.kind == kind) names.emplace_back(file.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace cleave::config
