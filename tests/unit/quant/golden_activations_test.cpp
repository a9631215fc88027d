#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "golden.h"
#include "quant/clip.h"
#include "quant/lp_step.h"

namespace cleave::quant {
namespace {

using testing::CodeChecksum;
using testing::golden;
using testing::golden_tensor;

struct Activation {
  Tensor tensor;
  WeightedValues values;
  WeightedValues before_relu;  ///< empty when the golden set has none
};

Activation load(const std::string& name, const Json& manifest) {
  Activation activation{golden_tensor(name), {}, {}};
  activation.values = WeightedValues::exact(activation.tensor.data<float>());
  if (manifest.at(name).contains("pre_relu")) {
    const Tensor before = golden_tensor(manifest.at(name).at("pre_relu").get<std::string>());
    activation.before_relu = WeightedValues::exact(before.data<float>());
  }
  return activation;
}

/// The quantizer of a golden method; empty for methods that cleave does not have.
std::optional<AffineQuantizer> quantizer_of(const std::string& method, const Activation& data, Bits bits) {
  const auto chosen = [&](ClipMethod clip) { return choose_activation({data.values, {}, {}}, bits, clip).quantizer; };
  if (method == "minmax") return chosen(ClipMethod::kMinMax);
  if (method == "mse_opt") return chosen(ClipMethod::kMse);
  if (method == "aciq_laplace" || method == "aciq_laplace_nonzero") return chosen(ClipMethod::kAciqLaplace);
  if (method == "aciq_gauss" || method == "aciq_gauss_nonzero") return chosen(ClipMethod::kAciqGauss);
  const auto after = [&](ClipMethod clip) {
    return choose_activation({data.values, data.before_relu, {}}, bits, clip).quantizer;
  };
  if (method == "aciq_laplace_prerelu") return after(ClipMethod::kAciqLaplace);
  if (method == "aciq_gauss_prerelu") return after(ClipMethod::kAciqGauss);
  return std::nullopt;
}

void check_method(const Activation& data, const AffineQuantizer& quantizer, const Json& expected) {
  const double step = expected.at("step");
  const double mse = expected.at("mse");
  EXPECT_NEAR(quantizer.scale, step, 1e-6 * step);
  EXPECT_EQ(quantizer.zero_point, expected.at("zero_point").get<int>());
  EXPECT_NEAR(affine_mse(data.values, quantizer), mse, 1e-5 * mse);
  CodeChecksum checksum;
  for (const float x : data.tensor.data<float>()) checksum.add(quantizer.code(x));
  EXPECT_EQ(checksum.hex(), expected.at("codes_crc32").get<std::string>());
}

TEST(GoldenActivations, EveryRecordHasTheStepErrorAndCodesOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  const Json manifest = golden("tensors/manifest.json");
  std::map<std::string, Activation> tensors;
  int checked = 0;
  const Json document = golden("acts_quant.json");
  for (const Json& row : document.at("records")) {
    const auto name = row.at("tensor").get<std::string>();
    if (tensors.count(name) == 0) tensors[name] = load(name, manifest);
    const Bits bits{row.at("bits").get<int>()};
    for (const auto& [method, expected] : row.at("methods").items()) {
      SCOPED_TRACE(name + ", " + std::to_string(bits.count) + " bits, " + method);
      const std::optional<AffineQuantizer> quantizer = quantizer_of(method, tensors[name], bits);
      if (quantizer) check_method(tensors[name], *quantizer, expected);
      checked += quantizer ? 1 : 0;
    }
  }
  EXPECT_EQ(checked, 200);  // 8 tensors: 4 with 6 methods, 4 with 4; 5 bit-widths
}

/// The search over zero points too: the reference's grids of 80 ranges are for signed tensors as well.
TEST(GoldenActivations, LpIsAtMostTheGridSearchOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  const Json manifest = golden("tensors/manifest.json");
  std::map<std::string, Activation> tensors;
  const Json document = golden("acts_quant.json");
  for (const Json& row : document.at("records")) {
    const auto name = row.at("tensor").get<std::string>();
    if (tensors.count(name) == 0) tensors[name] = load(name, manifest);
    const Bits bits{row.at("bits").get<int>()};
    SCOPED_TRACE(name + ", " + std::to_string(bits.count) + " bits");
    const WeightedValues& values = tensors[name].values;
    if (values.min() < 0 && (bits.count == 3 || bits.count == 6)) continue;  // half a second each
    const AffineQuantizer found = choose_activation({values, {}, {}}, bits, ClipMethod::lp(2.4)).quantizer;
    const CodeLevels levels{found.zero_point, bits.max_unsigned() - found.zero_point};
    EXPECT_GE(affine_mse(values, found), choose_activation({values, {}, {}}, bits, ClipMethod::kMse).mse * (1 - 1e-9));
    const double grid = row.at("methods").at("brecq_grid80_p2.4").at("lp_mean");
    EXPECT_LE(lp_error(values, found.scale, levels, 2.4), grid * (1 + 1e-3));
  }
}

TEST(GoldenActivations, ExactIsNoWorseThanAnyMethodOfTheReferenceAndOfTheTable) {
  CLEAVE_NEEDS_SHARED();
  const Json manifest = golden("tensors/manifest.json");
  const Json document = golden("acts_quant.json");
  for (const Json& row : document.at("records")) {
    const auto name = row.at("tensor").get<std::string>();
    const Activation data = load(name, manifest);
    const Bits bits{row.at("bits").get<int>()};
    SCOPED_TRACE(name + ", " + std::to_string(bits.count) + " bits");
    const ActivationValues seen{data.values, data.before_relu, Range{0.9 * data.values.min(), 0.8 * data.values.max()}};
    const double mse = choose_activation(seen, bits, ClipMethod::kMse).mse;
    for (const auto& [method, expected] : row.at("methods").items()) {
      EXPECT_LE(mse, expected.at("mse").get<double>() * (1 + 1e-9)) << method;
    }
    for (const ClipMethodRow& candidate : clip_methods()) {
      if (candidate.method.kind == ClipMethod::Kind::kLp) continue;  // slow; compared above
      EXPECT_LE(mse, choose_activation(seen, bits, candidate.method).mse * (1 + 1e-9)) << candidate.name;
    }
  }
}

/// ONNX Runtime's calibrators where they mean the same. Its percentile counts in bins and gives a bin's edge.
TEST(GoldenActivations, RangesAreOnnxRuntimesWhereTheyMeanTheSame) {
  CLEAVE_NEEDS_SHARED();
  const Json document = golden("ort_calibration.json");
  for (const Json& row : document.at("records")) {
    const auto name = row.at("tensor").get<std::string>();
    SCOPED_TRACE(name);
    const Tensor tensor = golden_tensor(name);
    const ActivationValues seen{WeightedValues::exact(tensor.data<float>()), {}, {}};
    const AffineQuantizer whole = choose_activation(seen, Bits{8}, ClipMethod::kMinMax).quantizer;
    EXPECT_FLOAT_EQ(whole.scale, row.at("u8_asym").at(0).get<float>());
    EXPECT_EQ(whole.zero_point, row.at("u8_asym").at(1).get<int>());
    const bool one_sided = seen.values.min() >= 0;
    // Onnx Runtime cuts half of the rest at the empty side too.
    const ClipMethod percentile = ClipMethod::percentile(one_sided ? 99.95 : 99.9);
    const AffineQuantizer kept = choose_activation(seen, Bits{8}, percentile).quantizer;
    const double bin = 2 * seen.values.max_magnitude() / 2048;
    const double lo = -kept.zero_point * double{kept.scale};
    EXPECT_NEAR(lo, row.at("percentile_99_9_asym").at(0).get<double>(), bin + 0.5 * kept.scale);
    EXPECT_NEAR(lo + 255 * double{kept.scale}, row.at("percentile_99_9_asym").at(1).get<double>(),
                bin + 0.5 * kept.scale);
  }
}

/// What calibration sees of a tensor: histogram bins.
TEST(GoldenActivations, ClipFromHistogramCostsAtMostOnePercentMoreThanTheExactOptimum) {
  CLEAVE_NEEDS_SHARED();
  const Json manifest = golden("tensors/manifest.json");
  const Json document = golden("acts_quant.json");
  for (const Json& row : document.at("records")) {
    const auto name = row.at("tensor").get<std::string>();
    SCOPED_TRACE(name + ", " + row.at("bits").dump() + " bits");
    const Activation data = load(name, manifest);
    FloatHistogram histogram;
    histogram.add(data.tensor.data<float>());
    const Bits bits{row.at("bits").get<int>()};
    const AffineQuantizer quantizer =
        choose_activation({histogram.weighted(data.values.min(), data.values.max()), {}, {}}, bits, ClipMethod::kMse)
            .quantizer;
    EXPECT_LE(affine_mse(data.values, quantizer), 1.01 * row.at("methods").at("mse_opt").at("mse").get<double>());
  }
}

}  // namespace
}  // namespace cleave::quant
