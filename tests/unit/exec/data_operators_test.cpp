#include <gtest/gtest.h>

#include <limits>

#include "operator_cases.h"
#include "random_tensor.h"
#include "support/ort.h"

namespace cleave::exec {
namespace {

using testing::absent;
using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::image;
using testing::input;
using testing::integers;
using testing::Integers;
using testing::number;
using testing::numbers;
using testing::OperatorCase;
using testing::random_floats;
using testing::random_tensor;
using testing::weights;

TEST(Operators, QuantizationIsOnnxRuntimesBitForBit) {
  CLEAVE_NEEDS_ORT();
  const auto wide = [] { return input(random_floats({2, 6, 9, 7}, 31, -12, 12)); };
  const auto byte = [](std::uint8_t v) { return constant(Tensor::scalar<std::uint8_t>(v)); };
  const std::int64_t one = 1;
  const std::int64_t zero = 0;
  const std::vector<OperatorCase> cases = {
      {"bytes", "QuantizeLinear", {wide(), number(0.05f), byte(100)}, {}, {DType::kUint8}},
      {"no zero point", "QuantizeLinear", {wide(), number(0.05f)}, {}, {DType::kUint8}},
      {"signed",
       "QuantizeLinear",
       {wide(), number(0.09f), constant(Tensor::scalar<std::int8_t>(-3))},
       {},
       {DType::kInt8}},
      {"halves",
       "QuantizeLinear",
       {input(Tensor::from<float>({8}, {0.5f, 1.5f, 2.5f, 3.5f, -0.5f, 1e9f, -1e9f, 254.5f})), number(1.0f), byte(0)},
       {},
       {DType::kUint8}},
      {"per channel",
       "QuantizeLinear",
       {wide(), numbers({0.1f, 0.2f, 0.3f, 0.05f, 0.15f, 0.25f}),
        constant(Tensor::from<std::uint8_t>({6}, {0, 10, 20, 128, 200, 255}))},
       {{"axis", one}},
       {DType::kUint8}},
      {"bytes",
       "DequantizeLinear",
       {input(random_tensor(DType::kUint8, {3, 40}, 1, 0, 255)), number(0.0123f), byte(77)},
       {},
       {DType::kFloat32}},
      {"per row",
       "DequantizeLinear",
       {input(random_tensor(DType::kInt8, {3, 40}, 1, -128, 127)), numbers({0.1f, 0.2f, 0.3f})},
       {{"axis", zero}},
       {DType::kFloat32}},
      {"int32",
       "DequantizeLinear",
       {input(random_tensor(DType::kInt32, {5}, 1, -2000000000, 2000000000)),
        numbers({1e-4f, 2e-4f, 3e-4f, 4e-4f, 5e-4f})},
       {{"axis", zero}},
       {DType::kFloat32}},
  };
  expect_like_onnx_runtime(cases, 13, 0.0);
}

TEST(Operators, CastsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  const std::vector<DType> types = {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kInt64,
                                    DType::kUint8,   DType::kInt8,    DType::kBool};
  for (const DType from : types) {
    for (const DType to : types) {
      cases.push_back({std::string(dtype_name(from)) + " to " + std::string(dtype_name(to)),
                       "Cast",
                       {input(random_tensor(from, {60}, 5, 0, 120))},
                       {{"to", static_cast<std::int64_t>(to)}},
                       {to}});
    }
  }
  cases.push_back({"negative to integer",
                   "Cast",
                   {input(random_floats({60}, 5, -90, 90))},
                   {{"to", static_cast<std::int64_t>(DType::kInt32)}},
                   {DType::kInt32}});
  expect_like_onnx_runtime(cases, 13, 0.0);
}

TEST(Operators, ReductionsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  const std::int64_t zero = 0;
  for (const std::string op : {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                               "ReduceSumSquare", "ReduceLogSumExp"}) {
    cases.push_back({"pixels", op, {image()}, {{"axes", Integers{2, 3}}}, {}});
    cases.push_back({"channels, dropped", op, {image()}, {{"axes", Integers{-3}}, {"keepdims", zero}}, {}});
    cases.push_back({"all", op, {image(1, {2, 3, 4})}, {}, {}});
  }
  cases.push_back({"", "ReduceLogSum", {input(random_floats({3, 4, 5}, 2, 0.1, 2))}, {{"axes", Integers{1}}}, {}});
  cases.push_back({"pixels", "ReduceSum", {image(), integers({2, 3})}, {}, {}});
  cases.push_back({"nothing", "ReduceSum", {image(), integers({})}, {{"noop_with_empty_axes", std::int64_t{1}}}, {}});
  cases.push_back({"int32",
                   "ReduceSum",
                   {input(random_tensor(DType::kInt32, {3, 40}, 1, 0, 9)), integers({1})},
                   {{"keepdims", zero}},
                   {}});
  cases.push_back({"rows", "ArgMax", {image()}, {{"axis", std::int64_t{1}}}, {DType::kInt64}});
  cases.push_back({"dropped", "ArgMin", {image()}, {{"axis", std::int64_t{-1}}, {"keepdims", zero}}, {DType::kInt64}});
  cases.push_back({"last of equals",
                   "ArgMax",
                   {input(random_tensor(DType::kInt32, {4, 30}, 3, 0, 4))},
                   {{"axis", std::int64_t{1}}, {"select_last_index", std::int64_t{1}}},
                   {DType::kInt64}});
  expect_like_onnx_runtime(cases);
}

TEST(Operators, MovementsAreOnnxRuntimesBitForBit) {
  CLEAVE_NEEDS_ORT();
  const std::int64_t one = 1;
  const auto codes = [] { return input(random_tensor(DType::kUint8, {2, 3, 5}, 7, 0, 255)); };
  std::vector<OperatorCase> cases = {
      {"to pixels first", "Transpose", {image()}, {{"perm", Integers{0, 2, 3, 1}}}, {}},
      {"to channels first", "Transpose", {image()}, {{"perm", Integers{0, 3, 1, 2}}}, {}},
      {"reversed", "Transpose", {image()}, {}, {}},
      {"bytes", "Transpose", {codes()}, {{"perm", Integers{1, 0, 2}}}, {}},
      {"flatten by -1", "Reshape", {image(), integers({0, -1})}, {}, {}},
      {"same shape", "Reshape", {image(), integers({2, 6, 9, 7})}, {}, {}},
      {"split channels", "Reshape", {image(), integers({2, 2, 3, 9, 7})}, {}, {}},
      {"", "Flatten", {image()}, {}, {}},
      {"axis 3", "Flatten", {image()}, {{"axis", std::int64_t{3}}}, {}},
      {"", "Unsqueeze", {image(), integers({0})}, {}, {}},
      {"", "Squeeze", {image(3, {1, 5, 1, 4}), integers({0, 2})}, {}, {}},
      {"range", "Slice", {image(), integers({1, 2}), integers({6, 100}), integers({1, 3})}, {}, {}},
      {"from behind, steps",
       "Slice",
       {image(), integers({-2, -1}), integers({0, -100}), integers({1, 2}), integers({-2, -1})},
       {},
       {}},
      {"default axes", "Slice", {codes(), integers({0, 1, 1}), integers({2, 3, 4})}, {}, {}},
      {"channels", "Concat", {image(1), image(2, {2, 3, 9, 7}), image(3)}, {{"axis", one}}, {}},
      {"width", "Concat", {image(1), image(2, {2, 6, 9, 2})}, {{"axis", std::int64_t{-1}}}, {}},
      {"with a constant", "Concat", {image(1), weights({2, 6, 9, 7})}, {{"axis", one}}, {}},
      {"bytes", "Concat", {codes(), codes()}, {{"axis", std::int64_t{0}}}, {}},
      {"sizes",
       "Split",
       {image(), integers({1, 2, 3})},
       {{"axis", one}},
       {DType::kFloat32, DType::kFloat32, DType::kFloat32}},
      {"halves", "Split", {image()}, {{"axis", one}}, {DType::kFloat32, DType::kFloat32}},
      {"zeros", "Pad", {image(), integers({0, 1, 2, 3, 0, 0, 1, 2})}, {}, {}},
      {"value", "Pad", {image(), integers({0, 0, 1, 1, 0, 0, 1, 1}), number(-3.5f)}, {}, {}},
      {"cropping", "Pad", {image(), integers({0, 0, -1, 2, 0, 0, 1, -1})}, {}, {}},
      {"reflect", "Pad", {image(), integers({0, 0, 3, 2, 0, 0, 1, 4})}, {{"mode", "reflect"}}, {}},
      {"edge", "Pad", {image(), integers({0, 2, 3, 2, 1, 0, 1, 4})}, {{"mode", "edge"}}, {}},
      {"", "Tile", {image(), integers({1, 2, 1, 3})}, {}, {}},
      {"channels", "Expand", {image(1, {2, 6, 1, 1}), integers({2, 6, 4, 3})}, {}, {}},
      {"new axis", "Expand", {codes(), integers({4, 2, 3, 5})}, {}, {}},
      {"DCR", "DepthToSpace", {image(1, {2, 8, 3, 5})}, {{"blocksize", std::int64_t{2}}}, {}},
      {"CRD", "DepthToSpace", {image(1, {2, 8, 3, 5})}, {{"blocksize", std::int64_t{2}}, {"mode", "CRD"}}, {}},
      {"", "SpaceToDepth", {image(1, {2, 3, 6, 4})}, {{"blocksize", std::int64_t{2}}}, {}},
      {"columns", "Gather", {image(), integers({2, 0, -1})}, {{"axis", one}}, {}},
      {"table of bytes",
       "Gather",
       {constant(random_floats({256, 2}, 3)), input(random_tensor(DType::kInt32, {2, 9}, 3, 0, 255))},
       {},
       {DType::kFloat32}},
      {"scalar index", "Gather", {image(), constant(Tensor::scalar<std::int64_t>(3))}, {{"axis", one}}, {}},
      {"",
       "GatherElements",
       {input(random_floats({3, 4}, 3)), input(random_tensor(DType::kInt64, {2, 4}, 3, -3, 2))},
       {{"axis", std::int64_t{0}}},
       {}},
      {"", "Shape", {image()}, {}, {DType::kInt64}},
      {"", "Size", {image()}, {}, {DType::kInt64}},
      {"value",
       "ConstantOfShape",
       {integers({2, 3})},
       {{"value", Tensor::from<float>({1}, {2.5f})}},
       {DType::kFloat32}},
      {"floats", "Range", {number(1.0f), number(4.0f), number(0.75f)}, {}, {}},
      {"", "Dropout", {image()}, {}, {}},
  };
  expect_like_onnx_runtime(cases, 13, 0.0);
}

TEST(Operators, ResizingIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  for (const std::string mode : {"nearest", "linear", "cubic"}) {
    for (const std::string where : {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
      const testing::Attributes attributes = {{"mode", mode}, {"coordinate_transformation_mode", where}};
      cases.push_back({mode + " " + where + " by scales",
                       "Resize",
                       {image(), absent(), numbers({1, 1, 2.0f, 1.5f})},
                       attributes,
                       {}});
      cases.push_back({mode + " " + where + " by sizes",
                       "Resize",
                       {image(), absent(), absent(), integers({2, 6, 5, 13})},
                       attributes,
                       {}});
    }
  }
  for (const std::string how : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
    cases.push_back({how,
                     "Resize",
                     {image(), absent(), numbers({1, 1, 2.0f, 0.6f})},
                     {{"mode", "nearest"}, {"nearest_mode", how}},
                     {}});
  }
  cases.push_back({"outside excluded",
                   "Resize",
                   {image(), absent(), numbers({1, 1, 2.0f, 1.5f})},
                   {{"mode", "cubic"}, {"cubic_coeff_a", -0.5f}, {"exclude_outside", std::int64_t{1}}},
                   {}});
  cases.push_back({"to one pixel",
                   "Resize",
                   {image(), absent(), absent(), integers({2, 6, 1, 1})},
                   {{"mode", "linear"}, {"coordinate_transformation_mode", "pytorch_half_pixel"}},
                   {}});
  cases.push_back({"nothing to do", "Resize", {image(), absent(), numbers({1, 1, 1, 1})}, {{"mode", "linear"}}, {}});
  expect_like_onnx_runtime(cases);
}

TEST(Operators, WhatLaterOpsetsAddIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const testing::Attributes symmetric = {{"mode", "linear"},
                                         {"coordinate_transformation_mode", "half_pixel_symmetric"}};
  const std::vector<OperatorCase> cases = {
      {"", "Mish", {image()}, {}, {}},
      {"axes as input", "ReduceMean", {image(), integers({2, 3})}, {}, {}},
      {"axes as input", "Pad", {image(), integers({1, 2, 0, 3}), absent(), integers({2, -1})}, {}, {}},
      {"symmetric", "Resize", {image(), absent(), numbers({1, 1, 1.3f, 2.1f})}, symmetric, {}},
      {"number of parts",
       "Split",
       {image()},
       {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}},
       {DType::kFloat32, DType::kFloat32}},
  };
  expect_like_onnx_runtime(cases, 19);
}

}  // namespace
}  // namespace cleave::exec
