#pragma once

#include <span>
#include <string>
#include <vector>

namespace cleave::cli {

/// One verb of the command line. `run` gets the arguments behind the verb and returns the exit code.
struct Verb {
  const char* name;
  const char* what;
  int (*run)(const std::vector<std::string>& arguments);
};

/// The ordered table of verbs.
std::span<const Verb> verb_table();

int run_check(const std::vector<std::string>& arguments);
int run_inspect(const std::vector<std::string>& arguments);
int run_calibrate(const std::vector<std::string>& arguments);
int run_merge(const std::vector<std::string>& arguments);
int run_sensitivity(const std::vector<std::string>& arguments);
int run_search(const std::vector<std::string>& arguments);
int run_solve(const std::vector<std::string>& arguments);
int run_tune(const std::vector<std::string>& arguments);
int run_export(const std::vector<std::string>& arguments);
int run_verify(const std::vector<std::string>& arguments);
int run_run(const std::vector<std::string>& arguments);
int run_evaluate(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);
int run_profile(const std::vector<std::string>& arguments);

}  // namespace cleave::cli
