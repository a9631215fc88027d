#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace cleave::cli {

/// The options of one verb: one entry each, bound to the variable it fills. Gives --help, "did you mean", --config and
/// --dump-config for all of them alike. Names as on the command line: "--images" or "-o,--output".
class CommandLine {
 public:
  /// `examples` are shown first in --help, one per line.
  CommandLine(const std::string& verb, const std::string& what, const std::string& examples);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// What an option tells about itself.
  struct About {
    std::string value;  ///< what stands behind it in --help: "FILE", "N", ...
    std::string text;
    bool required = false;
  };
  void positional(const std::string& name, std::string& target, const About& about);
  void positionals(const std::string& name, std::vector<std::string>& target, const About& about);
  void flag(const std::string& names, bool& target, const std::string& text);
  void text(const std::string& names, std::string& target, const About& about);
  void texts(const std::string& names, std::vector<std::string>& target, const About& about);  ///< may be repeated
  void integer(const std::string& names, std::int64_t& target, std::int64_t least, const About& about);
  void number(const std::string& names, std::optional<double>& target, double least, const About& about);

  void model(std::string& target);                ///< MODEL: what most verbs work on
  void shapes(std::vector<std::string>& target);  ///< --shape

  /// Parses the arguments behind the verb. Returns false when help or --dump-config was printed (to stdout) and
  /// nothing is left to do.
  /// Precedence: flag, then --config FILE, then default. Throws Error(kUsage).
  bool parse(const std::vector<std::string>& arguments);

  bool json() const;   ///< --json
  bool quiet() const;  ///< --quiet

 private:
  /// What is in force: {"schema": "cleave.config/1", "verb": ..., option: value, ...}.
  Json config() const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::cli
