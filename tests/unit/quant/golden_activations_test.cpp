#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "golden.h"
#include "quant/clip.h"

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

AffineQuantizer from_prior(const Prior& prior, double multiplier, Bits bits) {
  return affine_quantizer(aciq_one_sided_range(prior, multiplier), bits);
}

/// The quantizer of a golden method; empty for methods that cleave does not have.
std::optional<AffineQuantizer> quantizer_of(const std::string& method, const Activation& data, Bits bits) {
  const auto chosen = [&](ClipMethod clip) { return choose_activation({data.values, {}, {}}, bits, clip).quantizer; };
  if (method == "minmax") return chosen(ClipMethod::kMinMax);
  if (method == "mse_opt") return chosen(ClipMethod::kMse);
  if (method == "aciq_laplace" || method == "aciq_laplace_nonzero") return chosen(ClipMethod::kAciqLaplace);
  if (method == "aciq_gauss" || method == "aciq_gauss_nonzero") return chosen(ClipMethod::kAciqGauss);
  if (method == "aciq_laplace_prerelu") {
    return from_prior(laplace_prior(data.before_relu), aciq_laplace_multiplier(bits, true), bits);
  }
  if (method == "aciq_gauss_prerelu") {
    return from_prior(gauss_prior(data.before_relu), aciq_gauss_multiplier(bits, true), bits);
  }
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
