#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::cli {

namespace {

/// One option in both directions: from a configuration file, and back into --dump-config.
struct Entry {
  std::string key;
  CLI::Option* option;
  std::function<Json()> get;
  std::function<void(JsonReader&)> set;
};

std::string key_of(const std::string& names) {
  const std::string last = split_text(names, ',').back();
  return last.substr(last.find_first_not_of('-'));
}

Error usage(const std::string& what, const std::string& verb) {
  return Error(ErrorKind::kUsage, what, "See 'cleave " + verb + " --help'.");
}

}  // namespace

struct CommandLine::Impl {
  explicit Impl(const std::string& verb_name, const std::string& what) : verb(verb_name), app(what, "cleave " + verb) {}

  CLI::Option* remember(const std::string& names, CLI::Option* option, const About& about, std::function<Json()> get,
                        std::function<void(JsonReader&)> set) {
    if (!about.value.empty()) option->type_name(about.value);
    if (about.required) required.push_back(names);
    entries.push_back({key_of(names), option, std::move(get), std::move(set)});
    return option;
  }

  std::vector<std::string> long_names() const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

  void read_config() {
    const Json document = read_json(config_file);
    JsonReader reader(document, config_file);
    reader.require_schema("config");
    if (reader.text_or("verb", verb) != verb) throw usage(config_file + ": made for another verb", verb);
    for (const Entry& entry : entries) {
      reader.ignore(entry.key);  // may be absent
      if (!reader.has(entry.key)) continue;
      if (entry.option->count() > 0) continue;
      entry.set(reader);
      from_config.push_back(entry.key);
    }
    reader.finish();
  }

  void check_required() const {
    for (const std::string& names : required) {
      const std::string key = key_of(names);
      for (const Entry& entry : entries) {
        const bool given = std::find(from_config.begin(), from_config.end(), key) != from_config.end();
        if (entry.key == key && entry.option->count() == 0 && !given) {
          throw usage((names[0] == '-' ? "option " + split_text(names, ',').back() : names) + " is missing", verb);
        }
      }
    }
  }

  std::string verb;
  CLI::App app;
  std::vector<Entry> entries;
  std::vector<std::string> required;
  std::vector<std::string> from_config;
  std::string config_file;
  bool json = false;
  bool quiet = false;
  bool dump = false;
};

CommandLine::CommandLine(const std::string& verb, const std::string& what, const std::string& examples)
    : impl_(std::make_unique<Impl>(verb, what + "\n\nExamples:\n" + examples)) {
  CLI::App& app = impl_->app;
  app.set_help_flag("-h,--help", "Show this help");
  app.add_option("--config", impl_->config_file, "Take options that are not on the command line from a JSON file")
      ->type_name("FILE");
  app.add_flag("--dump-config", impl_->dump, "Print the options in force as JSON and stop");
  app.add_flag("--json", impl_->json, "Print the result as one JSON document");
  app.add_flag("-q,--quiet", impl_->quiet, "No progress, warnings only");
}

CommandLine::~CommandLine() = default;

void CommandLine::positional(const std::string& name, std::string& target, const About& about) {
  CLI::Option* option = impl_->app.add_option(name, target, about.text);
  impl_->remember(
      name, option, about, [&target] { return Json(target); },
      [&target, name](JsonReader& reader) { target = reader.text(name); });
}

void CommandLine::positionals(const std::string& name, std::vector<std::string>& target, const About& about) {
  CLI::Option* option = impl_->app.add_option(name, target, about.text);
  impl_->remember(
      name, option, about, [&target] { return Json(target); },
      [&target, name](JsonReader& reader) { target = reader.texts(name); });
}

void CommandLine::flag(const std::string& names, bool& target, const std::string& text) {
  CLI::Option* option = impl_->app.add_flag(names, target, text);
  const std::string key = key_of(names);
  impl_->remember(
      names, option, {}, [&target] { return Json(target); },
      [&target, key](JsonReader& reader) { target = reader.boolean_or(key, target); });
}

void CommandLine::text(const std::string& names, std::string& target, const About& about) {
  CLI::Option* option = impl_->app.add_option(names, target, about.text)->capture_default_str();
  const std::string key = key_of(names);
  impl_->remember(
      names, option, about, [&target] { return Json(target); },
      [&target, key](JsonReader& reader) { target = reader.text(key); });
}

void CommandLine::texts(const std::string& names, std::vector<std::string>& target, const About& about) {
  CLI::Option* option = impl_->app.add_option(names, target, about.text)->allow_extra_args(false);
  const std::string key = key_of(names);
  impl_->remember(
      names, option, about, [&target] { return Json(target); },
      [&target, key](JsonReader& reader) { target = reader.texts(key); });
}

void CommandLine::integer(const std::string& names, std::int64_t& target, std::int64_t least, const About& about) {
  const std::string key = key_of(names);
  const auto require = [key, least](std::int64_t value) {
    if (value < least) throw Error(ErrorKind::kUsage, "--" + key + " must be at least " + std::to_string(least));
  };
  CLI::Option* option = impl_->app.add_option(names, target, about.text)->capture_default_str();
  option->each([require, key](const std::string& text) {
    const auto value = parse_integer(text);
    if (!value) throw Error(ErrorKind::kUsage, "--" + key + ": '" + text + "' is not a whole number of 64 bits");
    require(*value);
  });
  impl_->remember(
      names, option, about, [&target] { return Json(target); },
      [&target, key, require](JsonReader& reader) {
        target = reader.integer(key);
        require(target);
      });
}

void CommandLine::number(const std::string& names, std::optional<double>& target, double least, const About& about) {
  const std::string key = key_of(names);
  const auto take = [&target, key, least](double value) {
    if (!(value >= least))
      throw Error(ErrorKind::kUsage, "--" + key + " must be a number of at least " + Json(least).dump());
    target = value;
  };
  CLI::Option* option = impl_->app.add_option_function<std::string>(
      names,
      [take, key](const std::string& text) {
        const auto value = parse_number(text);
        if (!value) throw Error(ErrorKind::kUsage, "--" + key + ": '" + text + "' is not a number");
        take(*value);
      },
      about.text);
  impl_->remember(
      names, option, about, [&target] { return target ? Json(*target) : Json(); },
      [take, key](JsonReader& reader) {
        if (!reader.at(key).is_null()) take(reader.number(key));
      });
}

void CommandLine::model(std::string& target) {
  positional("MODEL", target, {"", "ONNX file", true});
}

void CommandLine::shapes(std::vector<std::string>& target) {
  texts("--shape", target, {"NAME=1x3x224x224", "Shape of an input whose dimensions are symbolic"});
}

bool CommandLine::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    impl_->app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    write_result(impl_->app.help());
    return false;
  } catch (const CLI::ExtrasError&) {
    const std::string extra = impl_->app.remaining(true).empty() ? "" : impl_->app.remaining(true).front();
    const std::string name = extra.substr(0, extra.find('='));
    throw usage("unknown option '" + name + "'" + did_you_mean(name, impl_->long_names()), impl_->verb);
  } catch (const CLI::ParseError& error) {
    throw usage(error.what(), impl_->verb);
  }
  if (!impl_->config_file.empty()) impl_->read_config();
  if (impl_->dump) return write_result(config()), false;
  impl_->check_required();
  if (impl_->quiet) set_quiet();
  return true;
}

bool CommandLine::json() const {
  return impl_->json;
}
bool CommandLine::quiet() const {
  return impl_->quiet;
}
Json CommandLine::config() const {
  Json document = make_document("config");
  document["verb"] = impl_->verb;
  for (const Entry& entry : impl_->entries) document[entry.key] = entry.get();
  return document;
}

}  // namespace cleave::cli
