#include <algorithm>
#include <string>

#include "every_isa.h"
#include "exec/kernels/int8/convolution.h"
#include "random_codes.h"

namespace cleave::exec::int8 {
namespace {

using simd::SumOutput;

/// A convolution with data: source codes as their bytes, weights zero-centred.
struct Case {
  ConvolutionShape shape;
  Source source;
  std::vector<std::uint8_t> codes;
  std::vector<std::int16_t> weights;

  std::int64_t out_count() const { return shape.batch * shape.out_height * shape.out_width * shape.out_channels; }
  std::string name() const {
    const ConvolutionShape& s = shape;
    std::string text;
    for (const std::int64_t v : {s.batch, s.height, s.width, s.channels, s.out_height, s.out_width, s.out_channels,
                                 s.kernel_height, s.kernel_width, s.stride_height, s.stride_width, s.dilation_height,
                                 s.dilation_width, s.pad_top, s.pad_left, s.groups}) {
      text += std::to_string(v) + " ";
    }
    return text + (source.is_signed ? "s8" : "u8");
  }
};

Case with_data(const ConvolutionShape& shape, const Source& source, unsigned seed) {
  Case c{shape, source, {}, {}};
  c.codes = simd::random_codes<std::uint8_t>(shape.batch * shape.height * shape.width * shape.channels, seed);
  const std::int64_t weights =
      shape.out_channels * (shape.channels / shape.groups) * shape.kernel_height * shape.kernel_width;
  for (const std::int8_t w : simd::random_codes<std::int8_t>(weights, seed + 1)) c.weights.push_back(w);
  return c;
}

/// By the formula, one output at a time.
std::vector<std::int32_t> brute_force(const Case& c) {
  const ConvolutionShape& s = c.shape;
  const std::int64_t in_group = s.channels / s.groups;
  const std::int64_t out_group = s.out_channels / s.groups;
  std::vector<std::int32_t> sums;
  const auto code_at = [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t channel) -> std::int32_t {
    if (y < 0 || y >= s.height || x < 0 || x >= s.width) return 0;
    const std::uint8_t byte = c.codes[((n * s.height + y) * s.width + x) * s.channels + channel];
    return (c.source.is_signed ? static_cast<std::int8_t>(byte) : byte) - c.source.zero_point;
  };
  for (std::int64_t i = 0; i < c.out_count(); ++i) {
    const std::int64_t oc = i % s.out_channels;
    const std::int64_t ox = i / s.out_channels % s.out_width;
    const std::int64_t oy = i / (s.out_channels * s.out_width) % s.out_height;
    const std::int64_t n = i / (s.out_channels * s.out_width * s.out_height);
    std::int32_t sum = 0;
    for (std::int64_t ic = 0; ic < in_group; ++ic) {
      for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
        for (std::int64_t kx = 0; kx < s.kernel_width; ++kx) {
          const std::int64_t w = ((oc * in_group + ic) * s.kernel_height + ky) * s.kernel_width + kx;
          sum += c.weights[w] * code_at(n, oy * s.stride_height + ky * s.dilation_height - s.pad_top,
                                        ox * s.stride_width + kx * s.dilation_width - s.pad_left,
                                        oc / out_group * in_group + ic);
        }
      }
    }
    sums.push_back(sum);
  }
  return sums;
}

/// The smallest output, then some more by padding at the ends.
void set_outputs(ConvolutionShape& s, std::int64_t pad_bottom, std::int64_t pad_right) {
  const std::int64_t reach_y = (s.kernel_height - 1) * s.dilation_height + 1;
  const std::int64_t reach_x = (s.kernel_width - 1) * s.dilation_width + 1;
  s.out_height = (s.height + s.pad_top + pad_bottom - reach_y) / s.stride_height + 1;
  s.out_width = (s.width + s.pad_left + pad_right - reach_x) / s.stride_width + 1;
}

ConvolutionShape random_shape(std::mt19937& random) {
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  ConvolutionShape s;
  s.batch = pick(1, 2);
  s.kernel_height = pick(1, 5);
  s.kernel_width = pick(1, 5);
  s.stride_height = pick(1, 3);
  s.stride_width = pick(1, 3);
  s.dilation_height = pick(1, 2);
  s.dilation_width = pick(1, 2);
  s.pad_top = pick(0, 3);
  s.pad_left = pick(0, 3);
  s.height = pick(9, 14);
  s.width = pick(9, 14);
  set_outputs(s, pick(0, 3), pick(0, 3));
  switch (pick(0, 2)) {
    case 0:
      s.channels = pick(1, 40);
      s.out_channels = pick(1, 70);
      break;
    case 1:
      s.channels = s.out_channels = s.groups = pick(2, 70);
      break;
    default:
      s.groups = pick(2, 4);
      s.channels = s.groups * pick(1, 9);
      s.out_channels = s.groups * pick(1, 20);
  }
  return s;
}

template <typename T>
std::vector<T> run(const Case& c, const Epilogue& epilogue, int threads, simd::Isa isa) {
  const auto convolution = make_convolution(c.shape, c.source, c.weights, epilogue, threads, isa);
  std::vector<std::byte> scratch(convolution->scratch_bytes());
  std::vector<T> out(c.out_count());
  convolution->run(c.codes.data(), out.data(), scratch.data());
  return out;
}

class Int8Convolution : public testing::TestWithParam<simd::Isa> {
 protected:
  void expect_exact(const Case& c) {
    const auto wanted = brute_force(c);
    EXPECT_EQ(run<std::int32_t>(c, {}, 1, GetParam()), wanted) << c.name();
    EXPECT_EQ(run<std::int32_t>(c, {}, 3, GetParam()), wanted) << c.name() << ", 3 threads";
  }
};

TEST_P(Int8Convolution, SumsAreExactOnRandomShapes) {
  std::mt19937 random(7);
  for (unsigned seed = 0; seed < 60; ++seed) {
    const ConvolutionShape shape = random_shape(random);
    expect_exact(with_data(shape, {false, static_cast<std::int32_t>(seed * 37 % 256)}, seed));
    expect_exact(with_data(shape, {true, static_cast<std::int32_t>(seed * 37 % 256) - 128}, seed));
  }
}

/// Large enough that tiles of 2x2 pixels are worth their transforms; pictures that they do and do not cover evenly.
TEST_P(Int8Convolution, SumsOf3x3WindowsOfStride1AreExact) {
  std::mt19937 random(13);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (unsigned seed = 0; seed < 12; ++seed) {
    ConvolutionShape s{.batch = pick(1, 2),
                       .height = pick(4, 15),
                       .width = pick(4, 15),
                       .channels = pick(30, 80),
                       .out_channels = pick(30, 80),
                       .kernel_height = 3,
                       .kernel_width = 3,
                       .pad_top = pick(0, 2),
                       .pad_left = pick(0, 2)};
    set_outputs(s, pick(0, 2), pick(0, 2));
    expect_exact(with_data(s, {false, static_cast<std::int32_t>(seed * 37 % 256)}, seed));
    expect_exact(with_data(s, {true, static_cast<std::int32_t>(seed * 37 % 256) - 128}, seed));
  }
}

TEST_P(Int8Convolution, SumsAreExactAtTheExtremes) {
  ConvolutionShape dense{.height = 6,
                         .width = 6,
                         .channels = 64,
                         .out_channels = 33,
                         .kernel_height = 3,
                         .kernel_width = 3,
                         .pad_top = 1,
                         .pad_left = 1};
  set_outputs(dense, 1, 1);
  ConvolutionShape depthwise = dense;
  depthwise.groups = depthwise.out_channels = 64;
  for (const ConvolutionShape& shape : {dense, depthwise}) {
    for (const std::int16_t weight : {std::int16_t{-128}, std::int16_t{127}}) {
      Case c = with_data(shape, {false, 0}, 1);
      std::fill(c.codes.begin(), c.codes.end(), 255);
      std::fill(c.weights.begin(), c.weights.end(), weight);
      expect_exact(c);
      c.source = {true, 127};
      std::fill(c.codes.begin(), c.codes.end(), 0x80);  // -128
      expect_exact(c);
    }
  }
}

/// Floats hold whole numbers up to 2^24 only.
TEST_P(Int8Convolution, DepthwiseSumsAreExactBesideALargeBias) {
  ConvolutionShape s{.height = 7,
                     .width = 9,
                     .channels = 20,
                     .out_channels = 20,
                     .kernel_height = 3,
                     .kernel_width = 3,
                     .pad_top = 1,
                     .pad_left = 1,
                     .groups = 20};
  set_outputs(s, 1, 1);
  const Case c = with_data(s, {false, 7}, 5);
  Epilogue epilogue;
  epilogue.bias.assign(20, 0);
  epilogue.bias[3] = (1 << 24) + 1;
  epilogue.bias[17] = -(1 << 30) + 1;
  std::vector<std::int32_t> wanted = brute_force(c);
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] += epilogue.bias[i % 20];
  EXPECT_EQ(run<std::int32_t>(c, epilogue, 1, GetParam()), wanted);
}

/// So many taps that not even the products fit into floats.
TEST_P(Int8Convolution, LargeDepthwiseWindowsAreExact) {
  ConvolutionShape s{.height = 20,
                     .width = 20,
                     .channels = 3,
                     .out_channels = 3,
                     .kernel_height = 17,
                     .kernel_width = 17,
                     .groups = 3};
  set_outputs(s, 0, 0);
  expect_exact(with_data(s, {false, 0}, 6));
}

TEST_P(Int8Convolution, ProductsAreExact) {
  for (const std::int64_t m : {1, 2, 5, 13, 300}) {
    for (const std::int64_t k : {1, 7, 64, 129}) {
      for (const std::int64_t n : {1, 10, 33, 100}) {
        expect_exact(with_data(product_shape(m, k, n), {false, 128}, static_cast<unsigned>(m + k + n)));
      }
    }
  }
}

TEST_P(Int8Convolution, ManyBandsJoin) {
  ConvolutionShape s{.batch = 2,
                     .height = 70,
                     .width = 50,
                     .channels = 48,
                     .out_channels = 20,
                     .kernel_height = 3,
                     .kernel_width = 3,
                     .stride_height = 2,
                     .stride_width = 1,
                     .pad_top = 1,
                     .pad_left = 1};
  set_outputs(s, 1, 1);
  expect_exact(with_data(s, {false, 9}, 3));
  s.groups = s.out_channels = 48;
  expect_exact(with_data(s, {false, 9}, 4));
  s.groups = 1;
  s.kernel_height = s.kernel_width = 1;
  s.pad_top = s.pad_left = 0;
  set_outputs(s, 0, 0);
  expect_exact(with_data(s, {true, 9}, 5));
}

TEST_P(Int8Convolution, EpiloguesScaleRoundAndClip) {
  std::mt19937 random(11);
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Case c = with_data(random_shape(random), {seed % 2 == 0, 3}, seed);
    const std::int64_t channels = c.shape.out_channels;
    Epilogue epilogue;
    epilogue.bias = simd::random_sums(channels, 5000, seed);
    if (seed % 3 == 0) epilogue.shifts = simd::random_floats(channels, -1000.0F, 1000.0F, seed + 1);
    epilogue.scales = simd::random_floats(channels, 1e-4F, 2e-3F, seed);
    const auto sums = brute_force(c);
    const auto scaled = [&](std::int64_t i) {
      const float shift = epilogue.shifts.empty() ? 0.0F : epilogue.shifts[i % channels];
      return (static_cast<float>(sums[i] + epilogue.bias[i % channels]) + shift) * epilogue.scales[i % channels];
    };
    epilogue.type = SumOutput::kFloat;
    epilogue.low = 0;
    epilogue.high = std::numeric_limits<float>::infinity();
    const auto values = run<float>(c, epilogue, 2, GetParam());
    const simd::CodeRange u8{5, 5, 250};
    const simd::CodeRange s8{-4, -128, 100};
    epilogue.type = SumOutput::kUint8;
    epilogue.zero_point = u8.zero_point;
    epilogue.low = 5;
    epilogue.high = 250;
    const auto u8_codes = run<std::uint8_t>(c, epilogue, 2, GetParam());
    epilogue.type = SumOutput::kInt8;
    epilogue.zero_point = s8.zero_point;
    epilogue.low = -128;
    epilogue.high = 100;
    const auto s8_codes = run<std::int8_t>(c, epilogue, 2, GetParam());
    for (std::int64_t i = 0; i < c.out_count(); ++i) {
      ASSERT_EQ(values[i], std::max(0.0F, scaled(i))) << c.name();
      ASSERT_EQ(u8_codes[i], simd::rounded_code(scaled(i), u8)) << c.name();
      ASSERT_EQ(s8_codes[i], simd::rounded_code(scaled(i), s8)) << c.name();
    }
  }
}

CLEAVE_ON_EVERY_ISA(Int8Convolution);

}  // namespace
}  // namespace cleave::exec::int8
