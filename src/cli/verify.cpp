#include "bundle/verify.h"

#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace cleave::cli {

namespace {

bundle::InputSource image_source(const calibration::ImageSet& images, const calibration::Preprocess& preprocess,
                                 const Shape& shape) {
  return [&images, preprocess, shape](std::int64_t index) -> std::optional<std::vector<Tensor>> {
    if (index >= static_cast<std::int64_t>(images.paths().size())) return std::nullopt;
    const auto file = images.root() / images.paths()[static_cast<std::size_t>(index)];
    return std::vector<Tensor>{calibration::load_sample(file, preprocess, shape, false).input};
  };
}

std::string to_table(const bundle::Verification& result) {
  const double share = result.crossing_codes == 0 ? 0
                                                  : static_cast<double>(result.crossing_codes_differing) /
                                                        static_cast<double>(result.crossing_codes);
  return (result.pass ? "PASSED  " : "FAILED  ") + std::to_string(result.images) + " images\n" +
         "  codes at the cut differing   " + std::to_string(result.crossing_codes_differing) + " of " +
         std::to_string(result.crossing_codes) + " (" + fixed(100 * share, 4) + " %), by at most " +
         std::to_string(result.largest_code_difference) + "\n" + "  outputs on the same bytes    " +
         Json(result.max_rel_error).dump() + " of the range\n" + "  difference to float          " +
         fixed(100 * result.max_rel_error_to_float, 2) + " % of the range (reported only)\n" +
         "  same top class as in float   " + fixed(100 * result.argmax_agreement, 1) + " %\n";
}

}  // namespace

int run_verify(const std::vector<std::string>& arguments) {
  CommandLine line(
      "verify", "Checks a bundle's two files against the same plan fake-quantized on the whole network.",
      "  cleave verify bundle/ --images photos/\n  cleave verify bundle/ --images photos/ --limit 16 --json");
  std::string folder;
  std::string images_path;
  std::string model_path;
  std::string preprocess;
  std::int64_t limit = 0;
  line.positional("BUNDLE", folder, {"", "Folder from 'cleave export'", true});
  line.text("--images", images_path, {"DIR|LIST", "Images to compare on", true});
  line.text("--model", model_path, {"FILE", "The original network (default: where export found it)"});
  line.text("--preprocess", preprocess, {"P", "Default: the bundle's own"});
  line.integer("--limit", limit, 0, {"N", "First N images only (0: all)"});
  if (!line.parse(arguments)) return 0;

  const bundle::LoadedBundle loaded = bundle::load(folder);
  const graph::Model model =
      graph::Model::load(model_path.empty() ? bundle::original_model_path(loaded).string() : model_path);
  const calibration::ImageSet images = open_images(images_path, limit);
  ProgressLine progress("verify", "images", line.quiet());
  StageControl control = progress.control();
  const auto total = static_cast<std::int64_t>(images.paths().size());
  if (control.on_progress) {
    control.on_progress = [show = control.on_progress, total](const Progress& p) { show({p.done, total}); };
  }
  const bundle::Verification result = bundle::verify(
      loaded, model,
      image_source(images, choose_preprocess(preprocess, folder), single_input_shape(loaded.edge.graph())), control);
  progress.finish();
  line.json() ? write_result(result.to_json()) : write_result(to_table(result));
  return result.pass ? 0 : exit_code(ErrorKind::kMismatch);
}

}  // namespace cleave::cli
