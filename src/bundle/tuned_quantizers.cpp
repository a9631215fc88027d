#include "bundle/tuned_quantizers.h"

#include <algorithm>

#include "core/error.h"

namespace cleave::bundle {

namespace {

void require_made_from(const tune::TunedFile& tuned, const char* key, const std::string& found, const char* what) {
  const auto recorded = tuned.origin.made_from.find(key);
  if (recorded != tuned.origin.made_from.end() && recorded->second == found) return;
  throw Error(ErrorKind::kStale, std::string("the tuned file was made from another ") + what,
              std::string("Run cleave tune --plan with this ") + what + ".");
}

void require_same_origin(const tune::TunedFile& tuned, const search::Plan& plan, const quant::CalibrationTable& table) {
  if (!tuned.origin.made_from.contains("plan")) {
    throw Error(ErrorKind::kStale, "the tuned file is not of a plan but of the whole network at " + tuned.origin.bits,
                "Run cleave tune --plan with the plan that is exported.");
  }
  require_made_from(tuned, "model", table.graph_fingerprint, "network");
  require_made_from(tuned, "calibration", table.fingerprint(), "calibration table");
  require_made_from(tuned, "plan", plan.fingerprint(), "plan");
}

/// The same names with the same bits.
template <typename Quantizer>
bool decide_alike(const std::map<std::string, Quantizer>& a, const std::map<std::string, Quantizer>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && x.second.bits == y.second.bits; });
}

bool decide_alike(const exec::QuantizationSpec& a, const exec::QuantizationSpec& b) {
  return a.edge.on_edge == b.edge.on_edge && a.results_cross == b.results_cross &&
         decide_alike(a.activations, b.activations) && decide_alike(a.wire, b.wire) &&
         decide_alike(a.weights, b.weights);
}

void name_methods(const std::map<std::string, quant::AffineQuantizer>& quantizers,
                  std::map<std::string, std::string>& methods) {
  methods.clear();
  for (const auto& [name, quantizer] : quantizers) methods[name] = quantizer.bits.quantized() ? "tuned" : "none";
}

}  // namespace

ChosenQuantizers tuned_quantizers(ChosenQuantizers chosen, const search::Plan& plan,
                                  const quant::CalibrationTable& table, const tune::TunedFile& tuned) {
  require_same_origin(tuned, plan, table);
  if (!decide_alike(chosen.spec, tuned.spec)) {
    throw Error(ErrorKind::kInvalidInput, "the tuned file does not decide what its plan decides",
                "Run cleave tune again; do not edit its file by hand.");
  }
  chosen.spec = tuned.spec;
  name_methods(chosen.spec.activations, chosen.activation_methods);
  name_methods(chosen.spec.wire, chosen.wire_methods);
  return chosen;
}

}  // namespace cleave::bundle
