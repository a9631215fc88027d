#include <nlohmann/json.hpp>

#include "bundle/bundle.h"
#include "bundle/manifest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "core/version.h"
#include "graph/onnx_write.h"

namespace cleave::bundle {

namespace fs = std::filesystem;

namespace {

constexpr const char* kEdgeFile = "edge.onnx";
constexpr const char* kCloudFile = "cloud.onnx";
constexpr const char* kTunedFile = "tuned.json";
/// What an older bundle may have and a new one may lack.
const std::vector<std::string> kOptionalEntries{kCloudFile, kTunedFile, "report.html", "triton"};

/// Writes one file and says what the manifest records of it.
Json write_part(const std::string& bytes, const fs::path& folder, const char* file) {
  write_file_atomically(folder / file, bytes);
  return {{"file", file}, {"sha256", sha256_hex(bytes)}};
}

std::string file_of(JsonReader& entry) {
  const std::string file = entry.text("file");
  if (fs::path(file).filename() != fs::path(file) || file == "..") {
    throw Error(ErrorKind::kInvalidInput, entry.path_of("file") + ": '" + file + "' is not a plain file name");
  }
  return file;
}

void require_described(const fs::path& path, const std::string& sha256, JsonReader& entry) {
  if (sha256 == entry.text("sha256")) return;
  throw Error(ErrorKind::kStale, path.string() + " is not the file that manifest.json describes",
              "Export the bundle again.");
}

/// Loads one half and checks that it is the file of this manifest.
graph::Model load_half(const fs::path& folder, JsonReader entry, const std::string& pairing) {
  const std::string file = file_of(entry);
  graph::Model model = graph::Model::load(folder / file);
  require_described(folder / file, model.sha256(), entry);
  const auto& metadata = model.graph().metadata();
  const auto found = metadata.find("cleave.pairing");
  if (found == metadata.end() || found->second != pairing) {
    throw Error(ErrorKind::kStale, (folder / file).string() + " belongs to another bundle (cleave.pairing differs)",
                "Export the bundle again.");
  }
  return model;
}

std::shared_ptr<const Json> read_tuned(const fs::path& folder, JsonReader entry) {
  const fs::path path = folder / file_of(entry);
  const std::string bytes = read_file(path);
  require_described(path, sha256_hex(bytes), entry);
  return std::make_shared<const Json>(parse_json(bytes, path.string()));
}

/// Relative, so that a folder with model and bundle can be moved and the manifest names no machine.
std::string relative_to(const fs::path& file, const fs::path& folder) {
  return fs::weakly_canonical(fs::absolute(file))
      .lexically_relative(fs::weakly_canonical(fs::absolute(folder)))
      .string();
}

}  // namespace

void save(const SplitBundle& bundle, const fs::path& folder) {
  AtomicFolder target(folder, kOptionalEntries);
  Json manifest = *bundle.manifest;
  manifest["model"]["path"] = relative_to(bundle.model_path, folder);
  const auto write = [&target](const std::string& bytes, const char* file) {
    return write_part(bytes, target.staging(), file);
  };
  manifest["edge"] = write(graph::to_onnx(bundle.edge), kEdgeFile);
  manifest["cloud"] = bundle.cloud ? write(graph::to_onnx(*bundle.cloud), kCloudFile) : Json(nullptr);
  manifest["tuned"] = bundle.tuned ? write(to_text(*bundle.tuned), kTunedFile) : Json(nullptr);
  write_json(target.staging() / "manifest.json", manifest);
  Json preprocess = *bundle.preprocess;
  preprocess["tool"] = version();
  write_json(target.staging() / "preprocess.json", preprocess);
  bundle.plan.save(target.staging() / "plan.json");
  target.commit();
}

LoadedBundle load(const fs::path& folder) {
  if (!fs::is_regular_file(folder / "manifest.json")) {
    throw Error(ErrorKind::kInvalidInput, folder.string() + " is not a bundle: it has no manifest.json",
                "Make one with cleave export.");
  }
  const std::string origin = (folder / "manifest.json").string();
  Json manifest = read_json(folder / "manifest.json");
  JsonReader reader(manifest, origin);
  reader.require_schema("manifest");
  const std::string pairing = reader.text("pairing");
  graph::Model edge = load_half(folder, reader.object("edge"), pairing);
  std::optional<graph::Model> cloud;
  if (!reader.at("cloud").is_null()) cloud = load_half(folder, reader.object("cloud"), pairing);
  search::Plan plan = search::Plan::load(folder / "plan.json");
  if (plan.fingerprint() != reader.text("plan")) {
    throw Error(ErrorKind::kStale, (folder / "plan.json").string() + " is not the plan that the bundle was made from",
                "Export the bundle again.");
  }
  auto wire = wire_from_manifest(manifest, origin);
  if (wire.empty() == cloud.has_value()) {
    throw Error(ErrorKind::kInvalidInput,
                origin + ": cloud must be null when nothing crosses, and a file when something does",
                "Export the bundle again.");
  }
  std::shared_ptr<const Json> tuned;
  if (reader.has("tuned") && !reader.at("tuned").is_null()) tuned = read_tuned(folder, reader.object("tuned"));
  auto preprocess = std::make_shared<const Json>(read_json(folder / "preprocess.json"));
  return {folder,
          std::move(edge),
          std::move(cloud),
          std::move(wire),
          std::make_shared<const Json>(std::move(manifest)),
          std::move(preprocess),
          std::move(plan),
          std::move(tuned)};
}

fs::path original_model_path(const LoadedBundle& bundle) {
  const std::string recorded = JsonReader(*bundle.manifest, "manifest.json").object("model").text("path");
  const fs::path path = (bundle.folder / recorded).lexically_normal();
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  throw Error(ErrorKind::kIo, "the original network is not at " + path.string() + " any more", "Name it with --model.");
}

}  // namespace cleave::bundle
