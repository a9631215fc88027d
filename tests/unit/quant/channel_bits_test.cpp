#include "quant/channel_bits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "golden.h"
#include "quant/clip.h"

namespace cleave::quant {
namespace {

using testing::golden;
using testing::golden_tensor;

double signal_to_noise_db(const Tensor& weights, double mse) {
  double power = 0;
  for (const float w : weights.data<float>()) power += double{w} * double{w};
  return 10 * std::log10(power / static_cast<double>(weights.elements()) / mse);
}

std::int64_t sum_of(const std::vector<Bits>& bits) {
  std::int64_t sum = 0;
  for (const Bits width : bits) sum += width.count;
  return sum;
}

/// The reference has the full grid at 8 bits too, and no floor under dead channels' scales: a tenth of a decibel.
TEST(ChannelBits, GiveTheReferencesSignalToNoiseByEveryRule) {
  CLEAVE_NEEDS_SHARED();
  const std::map<std::string, BitRule> rules = {{"uniform_db", BitRule::kUniform},
                                                {"aciq_two_thirds_db", BitRule::kAciq},
                                                {"log2sigma_db", BitRule::kLog2},
                                                {"greedy_db", BitRule::kGreedy}};
  const Json document = golden("bit_alloc_comparison.json");
  for (const Json& record : document.at("records")) {
    const auto name = record.at("tensor").get<std::string>();
    const Tensor weights = golden_tensor(name);
    const Bits mean{record.at("M").get<int>()};
    for (const auto& [key, rule] : rules) {
      SCOPED_TRACE(name + " " + key + " " + std::to_string(mean.count));
      const std::vector<Bits> bits = allocate_bits(weights, 0, mean, rule);
      EXPECT_EQ(sum_of(bits), mean.count * weights.shape()[0]);
      const WeightChoice choice = choose_weights(weights, 0, bits, ClipMethod::kMse);
      EXPECT_NEAR(signal_to_noise_db(weights, choice.mse), record.at(key).get<double>(), 0.1);
    }
  }
}

TEST(ChannelBits, AreSharedAlongTheAxisAskedFor) {
  // Columns of deviation 1, 2, 4.
  Tensor weights(DType::kFloat32, {16, 3});
  const auto values = weights.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::ldexp(std::sin(static_cast<float>(i / 3 + 1)), static_cast<int>(i % 3));
  }
  EXPECT_EQ(allocate_bits(weights, 1, Bits{4}, BitRule::kLog2), (std::vector<Bits>{Bits{3}, Bits{4}, Bits{5}}));
  EXPECT_EQ(allocate_bits(weights, 1, Bits{5}, BitRule::kUniform), std::vector<Bits>(3, Bits{5}));
}

TEST(ChannelBits, QuantizeEachChannelAsAlone) {
  Tensor weights(DType::kFloat32, {3, 40});
  const auto values = weights.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i * i));
  const std::vector<Bits> bits = {Bits{2}, Bits{5}, Bits{8}};
  const WeightQuantizer together = choose_weights(weights, 0, bits, ClipMethod::kMse).quantizer;
  EXPECT_EQ(together.bits, Bits{8});
  const Tensor codes = weight_codes(weights, together);
  const Tensor back = dequantize_weights(codes, together);
  for (std::size_t c = 0; c < bits.size(); ++c) {
    const Tensor row = Tensor::from<float>({1, 40}, std::vector<float>(&values[c * 40], &values[c * 40] + 40));
    const WeightQuantizer alone = choose_weights(row, 0, bits[c], ClipMethod::kMse).quantizer;
    EXPECT_EQ(together.scales[c], alone.scales[0]);
    const Tensor own_codes = weight_codes(row, alone);
    const auto own = own_codes.data<std::int8_t>();
    const auto all = codes.data<std::int8_t>().subspan(c * 40, 40);
    EXPECT_TRUE(std::equal(own.begin(), own.end(), all.begin()));
    EXPECT_EQ(back.data<float>()[c * 40 + 7], static_cast<float>(own[7]) * alone.scales[0]);
  }
}

TEST(ChannelBits, AreFoundByTheirNames) {
  for (const BitRuleRow& row : bit_rules()) EXPECT_EQ(bit_rule_from_name(row.name), row.rule);
  EXPECT_THROW(bit_rule_from_name("greed"), Error);
}

}  // namespace
}  // namespace cleave::quant
