#include <gtest/gtest.h>

#include "exec/kernels/operator_table.h"
#include "operator_cases.h"
#include "random_tensor.h"
#include "support/ort.h"

namespace cleave::exec {
namespace {

using testing::absent;
using testing::Attributes;
using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::image;
using testing::input;
using testing::integers;
using testing::Integers;
using testing::numbers;
using testing::Operand;
using testing::OperatorCase;
using testing::random_floats;
using testing::random_tensor;

const std::int64_t kOne = 1;

Operand floats(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1) {
  return input(random_floats(shape, seed, low, high));
}

Operand values(const Shape& shape, const std::vector<float>& list) {
  return input(Tensor::from<float>(shape, list));
}

TEST(VisionOperators, CroppedResizingIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  for (const std::string mode : {"nearest", "linear", "cubic"}) {
    const Attributes crop = {
        {"mode", mode}, {"coordinate_transformation_mode", "tf_crop_and_resize"}, {"extrapolation_value", 7.5f}};
    cases.push_back({mode + " crop",
                     "Resize",
                     {image(), numbers({0, 0, 0.4f, 0.6f, 1, 1, 0.6f, 0.8f}), absent(), integers({2, 6, 5, 4})},
                     crop,
                     {}});
    cases.push_back({mode + " beyond the picture",
                     "Resize",
                     {image(), numbers({0, 0, 0.4f, -0.3f, 1, 1, 1.2f, 1.7f}), absent(), integers({2, 6, 5, 1})},
                     crop,
                     {}});
  }
  expect_like_onnx_runtime(cases, 13, 3e-5);
}

TEST(VisionOperators, ResizingOfOtherTypesIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto bytes = [] { return input(random_tensor(DType::kUint8, {1, 2, 5, 6}, 3, 0, 255)); };
  const auto scales = numbers({1, 1, 1.7f, 2.5f});
  const std::vector<OperatorCase> cases = {
      {"bytes nearest", "Resize", {bytes(), absent(), scales}, {}, {}},
      {"bytes linear", "Resize", {bytes(), absent(), scales}, {{"mode", "linear"}}, {}},
      {"int8 linear",
       "Resize",
       {input(random_tensor(DType::kInt8, {1, 2, 5, 6}, 3, -128, 127)), absent(), scales},
       {{"mode", "linear"}},
       {}},
      {"three spatial dimensions",
       "Resize",
       {floats({1, 2, 3, 4, 5}, 3), absent(), numbers({1, 1, 2, 1.5f, 0.7f})},
       {{"mode", "linear"}},
       {}},
      {"one spatial dimension", "Resize", {floats({1, 2, 9}, 3), absent(), numbers({1, 1, 0.7f})}, {}, {}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(VisionOperators, NewerResizingIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  for (const std::string mode : {"linear", "cubic"}) {
    for (const std::int64_t exclude : {0, 1}) {
      cases.push_back({mode + (exclude != 0 ? " antialias, outside excluded" : " antialias"),
                       "Resize",
                       {image(), absent(), numbers({1, 1, 0.4f, 0.7f})},
                       {{"mode", mode}, {"antialias", kOne}, {"exclude_outside", exclude}},
                       {}});
    }
    cases.push_back({mode + " antialias where nothing shrinks",
                     "Resize",
                     {image(), absent(), numbers({1, 1, 1.4f, 2})},
                     {{"mode", mode}, {"antialias", kOne}},
                     {}});
    cases.push_back({mode + " symmetric",
                     "Resize",
                     {image(), absent(), numbers({1, 1, 0.7f, 1.6f})},
                     {{"mode", mode}, {"coordinate_transformation_mode", "half_pixel_symmetric"}},
                     {}});
    cases.push_back({mode + " chosen axes",
                     "Resize",
                     {image(), absent(), numbers({2.0f, 1.5f})},
                     {{"mode", mode}, {"axes", Integers{3, 2}}},
                     {}});
  }
  for (const std::string policy : {"not_larger", "not_smaller"}) {
    for (const std::string mode : {"nearest", "linear"}) {
      cases.push_back({mode + " " + policy,
                       "Resize",
                       {image(), absent(), absent(), integers({13, 12})},
                       {{"mode", mode}, {"axes", Integers{2, 3}}, {"keep_aspect_ratio_policy", policy}},
                       {}});
    }
  }
  expect_like_onnx_runtime(cases, 19, 3e-5);
}

TEST(VisionOperators, GridSamplesAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  for (const std::string mode : {"nearest", "bilinear", "bicubic"}) {
    for (const std::string padding : {"zeros", "border", "reflection"}) {
      for (const std::int64_t corners : {0, 1}) {
        cases.push_back({mode + " " + padding + (corners != 0 ? " corners" : ""),
                         "GridSample",
                         {floats({2, 3, 5, 6}, 1), floats({2, 4, 7, 2}, 2, -1.6, 1.6)},
                         {{"mode", mode}, {"padding_mode", padding}, {"align_corners", corners}},
                         {}});
      }
    }
  }
  expect_like_onnx_runtime(cases, 16);
}

TEST(VisionOperators, GridSamplesOfVolumesAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  for (const std::string mode : {"nearest", "linear"}) {
    for (const std::string padding : {"zeros", "border", "reflection"}) {
      cases.push_back({mode + " " + padding,
                       "GridSample",
                       {floats({1, 2, 3, 4, 5}, 1), floats({1, 2, 3, 4, 3}, 2, -1.4, 1.4)},
                       {{"mode", mode}, {"padding_mode", padding}},
                       {}});
    }
  }
  expect_like_onnx_runtime(cases, 20);
}

TEST(VisionOperators, RegionsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto x = [] { return floats({2, 3, 9, 8}, 1); };
  const auto corners = [] { return values({4, 4}, {0, 0, 12, 14, 3, 2, 9.5f, 15, -2, -3, 4, 5, 6, 6, 6.2f, 6.1f}); };
  const auto pictures = [] { return input(Tensor::from<std::int64_t>({4}, std::vector<std::int64_t>{0, 1, 1, 0})); };
  const Attributes small = {
      {"output_height", std::int64_t{3}}, {"output_width", std::int64_t{4}}, {"spatial_scale", 0.5f}};
  std::vector<OperatorCase> cases;
  for (const std::string mode : {"avg", "max"}) {
    for (const std::string where : {"half_pixel", "output_half_pixel"}) {
      Attributes attributes = small;
      attributes["mode"] = mode;
      attributes["coordinate_transformation_mode"] = where;
      cases.push_back({mode + " " + where, "RoiAlign", {x(), corners(), pictures()}, attributes, {}});
      attributes["sampling_ratio"] = std::int64_t{2};
      cases.push_back({mode + " " + where + " ratio 2", "RoiAlign", {x(), corners(), pictures()}, attributes, {}});
    }
  }
  cases.push_back({"",
                   "MaxRoiPool",
                   {x(), values({3, 5}, {0, 0, 0, 12, 14, 1, 3, 2, 9, 15, 1, 6, 6, 6, 6})},
                   {{"pooled_shape", Integers{3, 2}}, {"spatial_scale", 0.5f}},
                   {}});
  expect_like_onnx_runtime(cases, 16);
}

TEST(VisionOperators, PlacesOfMaximaAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const std::vector<DType> two = {DType::kFloat32, DType::kInt64};
  const Integers k = {3, 2};
  const std::vector<OperatorCase> cases = {
      {"plain", "MaxPool", {image()}, {{"kernel_shape", k}}, two},
      {"column major", "MaxPool", {image()}, {{"kernel_shape", k}, {"storage_order", kOne}}, two},
      {"pads, strides, dilated",
       "MaxPool",
       {image()},
       {{"kernel_shape", k},
        {"pads", Integers{1, 1, 1, 1}},
        {"strides", Integers{2, 1}},
        {"dilations", Integers{2, 2}}},
       two},
      {"ceil", "MaxPool", {image()}, {{"kernel_shape", k}, {"strides", Integers{2, 2}}, {"ceil_mode", kOne}}, two},
      {"1-D", "MaxPool", {image(3, {2, 3, 9})}, {{"kernel_shape", Integers{4}}}, two},
      {"3-D", "MaxPool", {image(3, {1, 2, 5, 4, 6})}, {{"kernel_shape", Integers{2, 2, 3}}}, two},
      {"3-D column major",
       "MaxPool",
       {image(3, {1, 2, 5, 4, 6})},
       {{"kernel_shape", Integers{2, 2, 3}}, {"storage_order", kOne}},
       two},
      {"bytes",
       "MaxPool",
       {input(random_tensor(DType::kUint8, {1, 2, 6, 6}, 3, 0, 255))},
       {{"kernel_shape", k}},
       {DType::kUint8, DType::kInt64}},
      {"and back",
       "MaxUnpool",
       {values({1, 1, 2, 2}, {1, 2, 3, 4}),
        input(Tensor::from<std::int64_t>({1, 1, 2, 2}, std::vector<std::int64_t>{5, 7, 13, 15}))},
       {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}},
       {}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(VisionOperators, NewerPoolingIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const Attributes dilated = {{"kernel_shape", Integers{2, 3}}, {"dilations", Integers{2, 2}}};
  Attributes padded = dilated;
  padded["pads"] = Integers{1, 1, 1, 1};
  padded["count_include_pad"] = kOne;
  const Attributes two = {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}, {"ceil_mode", kOne}};
  Attributes wide = two;
  wide["pads"] = Integers{1, 1, 1, 1};
  Attributes counted = wide;
  counted["count_include_pad"] = kOne;
  const std::vector<OperatorCase> cases = {
      {"dilated", "AveragePool", {image()}, dilated, {}},
      {"dilated, padding counts", "AveragePool", {image()}, padded, {}},
      {"ceil", "AveragePool", {image(4, {1, 3, 5, 7})}, two, {}},
      {"ceil and pads", "AveragePool", {image(4, {1, 3, 5, 7})}, wide, {}},
      {"ceil and pads that count", "AveragePool", {image(4, {1, 3, 5, 7})}, counted, {}},
      {"3-D, pads that count",
       "AveragePool",
       {image(3, {1, 2, 5, 4, 6})},
       {{"kernel_shape", Integers{2, 2, 3}}, {"pads", Integers{1, 0, 1, 0, 1, 1}}, {"count_include_pad", kOne}},
       {}},
      {"dilated", "LpPool", {image()}, dilated, {}},
      {"ceil", "LpPool", {image(4, {1, 3, 5, 7})}, two, {}},
      {"p 1", "LpPool", {image()}, {{"kernel_shape", Integers{2, 2}}, {"p", kOne}, {"pads", Integers{1, 0, 0, 1}}}, {}},
      {"", "GlobalLpPool", {image()}, {}, {}},
      {"p 3", "GlobalLpPool", {image()}, {{"p", std::int64_t{3}}}, {}},
  };
  expect_like_onnx_runtime(cases, 19);
}

TEST(VisionOperators, NormalizationsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const std::vector<DType> three = {DType::kFloat32, DType::kFloat32, DType::kFloat32};
  const auto wide = constant(random_floats({9, 7}, 5));
  const auto channels = [](std::int64_t n, std::uint64_t seed) { return constant(random_floats({n}, seed)); };
  const std::vector<OperatorCase> cases = {
      {"with moments", "LayerNormalization", {image(), wide, wide}, {{"axis", std::int64_t{2}}}, three},
      {"last axis", "LayerNormalization", {image(), channels(7, 5)}, {{"epsilon", 0.1f}}, {DType::kFloat32}},
      {"", "InstanceNormalization", {image(), channels(6, 5), channels(6, 6)}, {}, {}},
      {"3-D", "InstanceNormalization", {image(3, {1, 2, 5, 4, 6}), channels(2, 5), channels(2, 6)}, {}, {}},
      {"three groups",
       "GroupNormalization",
       {image(), channels(6, 5), channels(6, 6)},
       {{"num_groups", std::int64_t{3}}},
       {}},
      {"one group",
       "GroupNormalization",
       {image(), channels(6, 5), channels(6, 6)},
       {{"num_groups", kOne}, {"epsilon", 0.1f}},
       {}},
  };
  expect_like_onnx_runtime(cases, 21);
}

TEST(VisionOperators, LargestElementsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto k = [](std::int64_t n) { return integers({n}); };
  std::vector<OperatorCase> cases = {
      {"largest", "TopK", {floats({3, 8}, 1), k(3)}, {}, {DType::kFloat32, DType::kInt64}},
      {"smallest", "TopK", {floats({3, 8}, 1), k(3)}, {{"largest", std::int64_t{0}}}, {DType::kFloat32, DType::kInt64}},
      {"middle axis", "TopK", {floats({3, 8, 4}, 1), k(5)}, {{"axis", kOne}}, {DType::kFloat32, DType::kInt64}},
      {"ties", "TopK", {values({6}, {1, 2, 2, 1, 2, 0}), k(4)}, {}, {DType::kFloat32, DType::kInt64}},
      {"all", "TopK", {floats({8}, 1), k(8)}, {}, {DType::kFloat32, DType::kInt64}},
  };
  for (const DType dtype : {DType::kFloat64, DType::kInt32, DType::kInt64}) {
    cases.push_back(
        {"type", "TopK", {input(random_tensor(dtype, {3, 8}, 4, -50, 50)), k(3)}, {}, {dtype, DType::kInt64}});
  }
  expect_like_onnx_runtime(cases);
}

/// What the reference kernel of an operator makes of plain tensors.
Tensor made_by(const std::string& op, const std::vector<Tensor>& inputs, const Attributes& attributes,
               const Shape& shape) {
  graph::Node node;
  node.op = op;
  node.attributes = attributes;
  Tensor result(inputs[0].dtype(), shape);
  std::vector<InputView> views;
  for (const Tensor& tensor : inputs) views.push_back(tensor.empty() ? InputView{} : view_of(tensor));
  const std::vector<OutputView> outputs = {
      {result.dtype(), shape, strides_of(shape, Layout::kPlain), result.mutable_raw().data()}};
  find_operator(op)->reference({node, views, outputs});
  return result;
}

Tensor in_doubles(const Tensor& floats) {
  if (floats.empty()) return floats;
  const auto values = floats.data<float>();
  return Tensor::from<double>(floats.shape(), std::vector<double>(values.begin(), values.end()));
}

TEST(VisionOperators, DoublePrecisionFollowsFloats) {
  const auto expect_followed = [](const std::string& op, const Tensor& x, const Tensor& other,
                                  const Attributes& attributes, const Shape& shape) {
    const Tensor narrow = made_by(op, {x, other}, attributes, shape);
    const Tensor wide = made_by(op, {in_doubles(x), in_doubles(other)}, attributes, shape);
    EXPECT_LE(testing::relative_difference(wide, in_doubles(narrow)), 1e-6) << op;
  };
  const Tensor x = random_floats({1, 3, 6, 5}, 1);
  const Attributes square = {{"kernel_shape", Integers{2, 2}}};
  expect_followed("Conv", x, random_floats({4, 3, 3, 3}, 2), {{"pads", Integers{1, 1, 1, 1}}}, {1, 4, 6, 5});
  expect_followed("ConvTranspose", x, random_floats({3, 2, 2, 2}, 2), {{"strides", Integers{2, 2}}}, {1, 2, 12, 10});
  expect_followed("GlobalAveragePool", x, {}, {}, {1, 3, 1, 1});
  expect_followed("AveragePool", x, {}, square, {1, 3, 5, 4});
  expect_followed("LpPool", x, {}, square, {1, 3, 5, 4});
  expect_followed("GridSample", x, random_floats({1, 2, 3, 2}, 2), {{"mode", "linear"}}, {1, 3, 2, 3});
}

TEST(VisionOperators, NormalizationsInDoublePrecisionFollowFloatsAndDoNotSeeAShift) {
  const Shape shape = {2, 4, 3, 5};
  const Tensor x = random_floats(shape, 1);
  const Tensor of_channels = random_floats({4}, 2, 0.5, 1);
  const Tensor of_columns = random_floats({5}, 3, 0.5, 1);
  struct Case {
    std::string op;
    std::vector<Tensor> others;
    Attributes attributes;
    bool sees_shift = false;
  };
  const std::vector<Case> cases = {
      {"InstanceNormalization", {of_channels, of_channels}, {}},
      {"LayerNormalization", {of_columns, of_columns}, {}},
      {"GroupNormalization", {of_channels, of_channels}, {{"num_groups", std::int64_t{2}}}},
      {"LRN", {}, {{"size", std::int64_t{3}}, {"alpha", 0.5f}}, true},
      {"BatchNormalization", {of_channels, of_channels, of_channels, of_channels}, {}, true},
  };
  for (const Case& c : cases) {
    std::vector<Tensor> narrow = {x};
    std::vector<Tensor> wide = {in_doubles(x)};
    for (const Tensor& other : c.others) {
      narrow.push_back(other);
      wide.push_back(in_doubles(other));
    }
    const Tensor followed = made_by(c.op, wide, c.attributes, shape);
    EXPECT_LE(testing::relative_difference(followed, in_doubles(made_by(c.op, narrow, c.attributes, shape))), 1e-6)
        << c.op;
    if (c.sees_shift) continue;
    wide[0] = wide[0].clone();
    for (double& value : wide[0].mutable_data<double>()) value += 1e8;  // floats would hold nothing of x any more
    EXPECT_LE(testing::relative_difference(made_by(c.op, wide, c.attributes, shape), followed), 1e-6) << c.op;
  }
}

TEST(VisionOperators, ResizingInDoublePrecisionFollowsFloats) {
  const Tensor x = random_floats({1, 2, 5, 6}, 3);
  const Tensor scales = Tensor::from<float>({4}, std::vector<float>{1, 1, 1.7f, 2.5f});
  for (const std::string mode : {"linear", "cubic"}) {
    const Tensor narrow = made_by("Resize", {x, {}, scales}, {{"mode", mode}}, {1, 2, 8, 15});
    const Tensor wide = made_by("Resize", {in_doubles(x), {}, scales}, {{"mode", mode}}, {1, 2, 8, 15});
    EXPECT_LE(testing::relative_difference(wide, in_doubles(narrow)), 1e-6) << mode;
  }
}

TEST(VisionOperators, ConvolutionsWithComputedWeightsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const std::vector<OperatorCase> cases = {
      {"groups, bias", "Conv", {image(), floats({4, 3, 3, 3}, 2), floats({4}, 3)}, {{"group", std::int64_t{2}}}, {}},
      {"1-D", "Conv", {image(3, {2, 3, 9}), floats({4, 3, 3}, 2)}, {{"dilations", Integers{2}}}, {}},
      {"transposed",
       "ConvTranspose",
       {image(), floats({6, 2, 3, 3}, 2), floats({4}, 3)},
       {{"group", std::int64_t{2}},
        {"strides", Integers{2, 2}},
        {"output_padding", Integers{1, 0}},
        {"dilations", Integers{1, 2}}},
       {}},
      {"transposed 3-D",
       "ConvTranspose",
       {image(3, {1, 2, 3, 4, 3}), floats({2, 3, 2, 2, 2}, 2)},
       {{"strides", Integers{2, 1, 2}}, {"pads", Integers{0, 1, 0, 1, 0, 0}}},
       {}},
  };
  expect_like_onnx_runtime(cases);
}

}  // namespace
}  // namespace cleave::exec
