#include <unistd.h>

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "core/version.h"

namespace cleave::cli {

namespace {

constexpr Verb kVerbs[] = {
    {"check", "every problem of a model at once, with the way out", run_check},
    {"inspect", "units, tensors, MACs, parameters and candidate cuts of a model", run_inspect},
    {"calibrate", "activation statistics of a model over an image set", run_calibrate},
    {"merge", "shards of a calibration or of sensitivities into one table", run_merge},
    {"sensitivity", "what each bit-width of each unit and activation alone does to the outputs", run_sensitivity},
    {"search", "the best cut and bit-widths for an edge, a link and a cloud", run_search},
    {"solve", "a numbers-only problem, without a network", run_solve},
    {"tune", "rounding, biases and steps of a quantized network, found by running it on images", run_tune},
    {"export", "the two halves of a plan as ONNX", run_export},
    {"verify", "that a bundle does what its plan says", run_verify},
    {"run", "a model or a bundle on an input", run_run},
    {"evaluate", "accuracy of a model or a bundle on labelled images", run_evaluate},
    {"bench", "latency of a model or a bundle on this machine", run_bench},
    {"profile", "a device file measured on this machine", run_profile},
};

std::string help() {
  std::string text =
      "cleave: where to cut a network between an edge device and the cloud, and how many bits each edge layer gets.\n\n"
      "  cleave calibrate model.onnx --images photos/ --preprocess imagenet -o calibration.json\n"
      "  cleave search model.onnx --calibration calibration.json --edge eyeriss --cloud tpu-v1 --link 3mbps -o "
      "plan.json\n"
      "  cleave export model.onnx --calibration calibration.json --plan plan.json -o bundle/\n"
      "  cleave verify bundle/ --images photos/\n\nVerbs:\n";
  for (const Verb& verb : kVerbs) {
    text += "  " + std::string(verb.name) + std::string(13 - std::string(verb.name).size(), ' ') + verb.what + "\n";
  }
  return text + "\n'cleave VERB --help' tells more. 'cleave --version' prints the version.\n";
}

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    write_result(help());
    return arguments.empty() ? exit_code(ErrorKind::kUsage) : 0;
  }
  if (arguments[0] == "--version") {
    write_result(std::string("cleave ") + version() + "\n");
    return 0;
  }
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) {
    if (arguments[0] == verb.name) return verb.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(verb.name);
  }
  throw Error(ErrorKind::kUsage, "unknown verb '" + arguments[0] + "'" + did_you_mean(arguments[0], names),
              "See 'cleave --help'.");
}

}  // namespace

/// A failed check aborts; other programs are promised exit code 1 for it.
void exit_1_on_abort() {
  std::signal(SIGABRT, [](int) { ::_exit(1); });
}

std::span<const Verb> verb_table() {
  return kVerbs;
}

}  // namespace cleave::cli

int main(int argc, char** argv) {
  using namespace cleave;
  try {
    cli::exit_1_on_abort();
    cli::listen_for_interrupts();
    return cli::dispatch({argv + 1, argv + argc});
  } catch (const Error& error) {
    cli::log_error(error);
    return exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    cli::log_error(Error(ErrorKind::kIo, "out of memory"));
    return exit_code(ErrorKind::kIo);
  } catch (const std::exception& error) {
    cli::log_error(Error(ErrorKind::kUsage, std::string("a bug in cleave: ") + error.what(),
                         "Please report it with the command and its input."));
    return 1;
  }
}
