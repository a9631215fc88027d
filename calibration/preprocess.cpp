#include "calibration/preprocess.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::calibration {

namespace {

struct Preset {
  const char* name;
  const char* block;
};

constexpr std::array<Preset, 3> kPresets{{
    {"imagenet", R"({"schema":"cleave.preprocess/1","color":"rgb","resize":{"shorter_px":256,"interpolation":"linear"},
      "center_crop_px":[224,224],"scale":0.00392156862745098,"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225],
      "layout":"NCHW"})"},
    {"raw", R"({"schema":"cleave.preprocess/1","color":"rgb","layout":"NCHW"})"},
    {"tf", R"({"schema":"cleave.preprocess/1","color":"rgb","resize":{"shorter_px":256,"interpolation":"linear"},
      "center_crop_px":[224,224],"scale":0.00784313725490196,"mean":[1.0,1.0,1.0],"std":[1.0,1.0,1.0],
      "layout":"NCHW"})"},
}};

struct ColorName {
  Color color;
  const char* name;
};

constexpr std::array<ColorName, 4> kColors{
    {{Color::kRgb, "rgb"}, {Color::kBgr, "bgr"}, {Color::kGray, "gray"}, {Color::kY, "y"}}};

constexpr std::int64_t kMaxSide = 65535;

Error bad(const std::string& what) {
  return Error(ErrorKind::kInvalidInput, what);
}

/// The text behind `key`, which must be one of `allowed`.
std::string choice(JsonReader& reader, const std::string& key, const std::vector<std::string>& allowed) {
  std::string value = reader.text_or(key, allowed.front());
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  throw bad(reader.path_of(key) + ": '" + value + "' is none of " + join_text(allowed, ", ") +
            did_you_mean(value, allowed));
}

std::int64_t side(std::int64_t value, const std::string& path) {
  if (value < 1 || value > kMaxSide) {
    throw bad(path + ": " + std::to_string(value) + " is not a size in pixels (1.." + std::to_string(kMaxSide) + ")");
  }
  return value;
}

std::array<std::int64_t, 2> read_size(JsonReader& reader, const std::string& key) {
  const std::vector<std::int64_t> values = reader.integers(key);
  if (values.size() != 2) throw bad(reader.path_of(key) + ": expected [height, width]");
  return {side(values[0], reader.path_of(key)), side(values[1], reader.path_of(key))};
}

Preprocess::Resize read_resize(JsonReader reader) {
  Preprocess::Resize resize;
  const auto read_side = [&reader](const std::string& key) {
    return reader.has(key) ? side(reader.integer(key), reader.path_of(key)) : std::int64_t{0};
  };
  resize.shorter_px = read_side("shorter_px");
  resize.longer_px = read_side("longer_px");
  if (reader.has("size_px")) resize.size_px = read_size(reader, "size_px");
  resize.interpolation = choice(reader, "interpolation", {"linear", "nearest", "area", "cubic"});
  for (const char* key : {"shorter_px", "longer_px", "size_px"}) reader.ignore(key);  // may be absent
  reader.finish();
  const int given = (resize.shorter_px > 0) + (resize.longer_px > 0) + (resize.size_px[0] > 0);
  if (given != 1) throw bad(reader.where() + ": give exactly one of shorter_px, longer_px, size_px");
  return resize;
}

Preprocess::Pad read_pad(JsonReader reader) {
  Preprocess::Pad pad;
  pad.size_px = read_size(reader, "size_px");
  pad.value = reader.number_or("value", 0);
  if (pad.value < 0 || pad.value > 255) throw bad(reader.path_of("value") + ": a pixel value is 0..255");
  pad.center = choice(reader, "at", {"top_left", "center"}) == "center";
  reader.finish();
  return pad;
}

/// None, one, or one number per channel.
std::vector<double> read_per_channel(JsonReader& reader, const std::string& key, std::int64_t channels) {
  if (!reader.has(key)) return {};
  if (reader.at(key).is_number()) return {reader.number(key)};
  std::vector<double> values = reader.numbers(key);
  if (values.size() == 1 || values.size() == static_cast<std::size_t>(channels)) return values;
  throw bad(reader.path_of(key) + ": " + std::to_string(values.size()) + " numbers for " + std::to_string(channels) +
            (channels == 1 ? " channel" : " channels"));
}

Color color_from_name(const std::string& name) {
  for (const ColorName& row : kColors) {
    if (name == row.name) return row.color;
  }
  CLEAVE_CHECK(false, "colour names are checked where they are read");
  return Color::kRgb;
}

const char* color_name(Color color) {
  for (const ColorName& row : kColors) {
    if (color == row.color) return row.name;
  }
  return "rgb";
}

Json resize_json(const Preprocess::Resize& resize) {
  Json json{{"interpolation", resize.interpolation}};
  if (resize.shorter_px > 0) json["shorter_px"] = resize.shorter_px;
  if (resize.longer_px > 0) json["longer_px"] = resize.longer_px;
  if (resize.size_px[0] > 0) json["size_px"] = resize.size_px;
  return json;
}

}  // namespace

Preprocess Preprocess::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("preprocess");
  Preprocess block;
  if (reader.has("resize")) block.resize = read_resize(reader.object("resize"));
  if (reader.has("pad")) block.pad = read_pad(reader.object("pad"));
  if (reader.has("center_crop_px")) block.center_crop_px = read_size(reader, "center_crop_px");
  block.color = color_from_name(choice(reader, "color", {"rgb", "bgr", "gray", "y"}));
  block.scale = reader.number_or("scale", 1);
  block.mean = read_per_channel(reader, "mean", block.channels());
  block.std = read_per_channel(reader, "std", block.channels());
  for (const double value : block.std) {
    if (value == 0) throw bad(reader.path_of("std") + ": 0 cannot be divided by");
  }
  block.layout = choice(reader, "layout", {"NCHW", "NHWC"});
  for (const char* key : {"resize", "pad", "center_crop_px", "mean", "std"}) reader.ignore(key);  // may be absent
  reader.finish();
  return block;
}

Preprocess Preprocess::find(const std::string& name_or_path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(name_or_path, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_directory(status)) {
    return from_json(read_json(name_or_path), name_or_path);
  }
  for (const Preset& preset : kPresets) {
    if (name_or_path == preset.name) return from_json(parse_json(preset.block, preset.name), preset.name);
  }
  const std::vector<std::string> names = preprocess_presets();
  throw Error(
      ErrorKind::kUsage,
      "no preprocessing '" + name_or_path + "': neither a file nor a preset" + did_you_mean(name_or_path, names),
      "Presets are " + join_text(names, ", ") + "; or give the path of a JSON block.");
}

Json Preprocess::to_json() const {
  Json json{{"schema", "cleave.preprocess/1"}, {"color", color_name(color)}, {"layout", layout}};
  if (resize) json["resize"] = resize_json(*resize);
  if (pad) {
    json["pad"] = {{"size_px", pad->size_px}, {"value", pad->value}, {"at", pad->center ? "center" : "top_left"}};
  }
  if (center_crop_px) json["center_crop_px"] = *center_crop_px;
  if (scale != 1) json["scale"] = scale;
  if (!mean.empty()) json["mean"] = mean;
  if (!std.empty()) json["std"] = std;
  return json;
}

std::vector<std::string> preprocess_presets() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

}  // namespace cleave::calibration
