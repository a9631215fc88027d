#include "cost/unit_work.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "cost/device.h"
#include "networks.h"

namespace cleave::cost {
namespace {

using testing::Integers;
using testing::OneUnit;

TEST(Convolution, IsDescribedByItsGeometry) {
  OneUnit net;
  const auto x = net.input("x", {2, 3, 9, 7});
  const auto w = net.weight("w", {4, 3, 3, 5});
  net.node("Conv", {x, w}, {2, 4, 5, 4}, {{"pads", Integers{1, 2, 1, 2}}, {"strides", Integers{2, 2}}});
  const UnitWork work = net.work();
  EXPECT_EQ(work.op, "Conv");
  EXPECT_TRUE(work.is_convolution);
  EXPECT_EQ(work.macs, 2 * 4 * (5 * 4) * (3 * 3 * 5));
  EXPECT_EQ(work.vector_ops, 0);
  EXPECT_EQ(work.weight_elements, 4 * 3 * 3 * 5);
  EXPECT_EQ(work.input_elements, 2 * 3 * 9 * 7);
  EXPECT_EQ(work.output_elements, 2 * 4 * 5 * 4);
  EXPECT_EQ(work.batch, 2);
  EXPECT_EQ(work.in_height, 9);
  EXPECT_EQ(work.in_width, 7);
  EXPECT_EQ(work.out_height, 5);
  EXPECT_EQ(work.out_width, 4);
  EXPECT_EQ(work.kernel_height, 3);
  EXPECT_EQ(work.kernel_width, 5);
  EXPECT_EQ(work.stride_height, 2);
  EXPECT_EQ(work.in_channels, 3);
  EXPECT_EQ(work.out_channels, 4);
  EXPECT_EQ(work.groups, 1);
}

TEST(Convolution, WithBiasAndFusedReluCountsNeither) {
  OneUnit net;
  const auto x = net.input("x", {1, 2, 4, 4});
  const auto y = net.node("Conv", {x, net.weight("w", {3, 2, 1, 1}), net.weight("b", {3})}, {1, 3, 4, 4});
  net.node("Relu", {y}, {1, 3, 4, 4});
  const graph::Graph graph = net.build();
  ASSERT_EQ(graph.units().size(), 1U);
  const UnitWork work = describe(graph, graph::UnitId{0});
  EXPECT_EQ(work.macs, 16 * 3 * 2);
  EXPECT_EQ(work.weight_elements, 6);
  EXPECT_EQ(work.vector_ops, 0);
  EXPECT_EQ(work.output_elements, 48);
}

TEST(Convolution, InOneDimensionHasHeightOne) {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 2, 10}), net.weight("w", {3, 2, 4})}, {1, 3, 7});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, 7 * 3 * 2 * 4);
  EXPECT_EQ(work.in_height, 1);
  EXPECT_EQ(work.out_height, 1);
  EXPECT_EQ(work.kernel_height, 1);
  EXPECT_EQ(work.out_width, 7);
  EXPECT_EQ(work.kernel_width, 4);
}

TEST(Convolution, InThreeDimensionsFoldsDepthIntoHeight) {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 2, 4, 5, 6}), net.weight("w", {3, 2, 2, 3, 1})}, {1, 3, 3, 3, 6});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, (3 * 3 * 6) * 3 * 2 * (2 * 3 * 1));
  EXPECT_EQ(work.out_height, 9);
  EXPECT_EQ(work.kernel_height, 6);
}

TEST(Convolution, DepthwiseMultipliesOneChannelEach) {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 8, 5, 5}), net.weight("w", {8, 1, 3, 3})}, {1, 8, 3, 3},
           {{"group", std::int64_t{8}}});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, 8 * 9 * 9);
  EXPECT_EQ(work.groups, 8);
  const GemmShape gemm = gemm_of_group(work);
  EXPECT_EQ(gemm.pixels, 9);
  EXPECT_EQ(gemm.window, 9);
  EXPECT_EQ(gemm.filters, 1);
}

TEST(Convolution, GroupedSeesItsOwnChannelsOnly) {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 6, 4, 4}), net.weight("w", {4, 3, 1, 1})}, {1, 4, 4, 4},
           {{"group", std::int64_t{2}}});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, 16 * 4 * 3);
  const GemmShape gemm = gemm_of_group(work);
  EXPECT_EQ(gemm.window, 3);
  EXPECT_EQ(gemm.filters, 2);
}

TEST(TransposedConvolution, MultipliesEveryInputPixelWithEveryWeight) {
  OneUnit net;
  net.node("ConvTranspose", {net.input("x", {1, 2, 4, 5}), net.weight("w", {2, 3, 2, 2})}, {1, 3, 8, 10},
           {{"strides", Integers{2, 2}}});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, (4 * 5) * 2 * 3 * (2 * 2));
  EXPECT_EQ(work.weight_elements, 24);
  const GemmShape gemm = gemm_of_group(work);
  EXPECT_EQ(gemm.pixels, 20);
  EXPECT_EQ(gemm.window, 2);
  EXPECT_EQ(gemm.filters, 12);
}

TEST(Gemm, IsAConvolutionOfOneByOneWhoseRowsArePixels) {
  for (const bool transposed : {false, true}) {
    OneUnit net;
    const auto w = transposed ? net.weight("w", {10, 16}) : net.weight("w", {16, 10});
    net.node("Gemm", {net.input("x", {3, 16}), w, net.weight("b", {10})}, {3, 10},
             {{"transB", std::int64_t{transposed ? 1 : 0}}});
    const UnitWork work = net.work();
    EXPECT_EQ(work.macs, 3 * 16 * 10);
    EXPECT_EQ(work.weight_elements, 160);
    const GemmShape gemm = gemm_of_group(work);
    EXPECT_EQ(gemm.pixels, 3);
    EXPECT_EQ(gemm.window, 16);
    EXPECT_EQ(gemm.filters, 10);
  }
}

TEST(Gemm, WithTransposedInputReadsItsOtherDimension) {
  OneUnit net;
  net.node("Gemm", {net.input("x", {16, 3}), net.weight("w", {16, 10})}, {3, 10}, {{"transA", std::int64_t{1}}});
  EXPECT_EQ(net.work().macs, 3 * 16 * 10);
}

TEST(MatMul, WithAWeightCountsLeadingDimensionsAsPixels) {
  OneUnit net;
  net.node("MatMul", {net.input("x", {2, 5, 16}), net.weight("w", {16, 10})}, {2, 5, 10});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, 10 * 16 * 10);
  EXPECT_EQ(work.out_width, 10);
  EXPECT_EQ(work.groups, 1);
  EXPECT_EQ(work.weight_elements, 160);
}

TEST(MatMul, OfTwoActivationsHasBatchesAsGroupsAndNoWeights) {
  OneUnit net;
  net.node("MatMul", {net.input("a", {1, 4, 7, 16}), net.input("b", {1, 4, 16, 9})}, {1, 4, 7, 9});
  const UnitWork work = net.work();
  EXPECT_EQ(work.macs, 4 * 7 * 16 * 9);
  EXPECT_EQ(work.groups, 4);
  EXPECT_EQ(work.weight_elements, 0);
  EXPECT_EQ(work.input_elements, 4 * 7 * 16 + 4 * 16 * 9);
  EXPECT_EQ(gemm_of_group(work).window, 16);
}

TEST(Pooling, CountsItsWindowInFull) {
  OneUnit net;
  net.node("MaxPool", {net.input("x", {1, 2, 6, 6})}, {1, 2, 3, 3},
           {{"kernel_shape", Integers{3, 2}}, {"strides", Integers{2, 2}}});
  const UnitWork work = net.work();
  EXPECT_FALSE(work.is_convolution);
  EXPECT_EQ(work.macs, 0);
  EXPECT_EQ(work.vector_ops, 18 * 6);
  EXPECT_EQ(work.in_height, 0);
}

TEST(GlobalPooling, ReadsEveryInputOnce) {
  OneUnit net;
  net.node("GlobalAveragePool", {net.input("x", {1, 2, 6, 6})}, {1, 2, 1, 1});
  EXPECT_EQ(net.work().vector_ops, 72);
}

TEST(Addition, CountsADistinctInputOnceAndAFusedActivationToo) {
  OneUnit net;
  const auto x = net.input("x", {1, 10});
  const auto y = net.node("Add", {x, x}, {1, 10});
  net.node("Relu", {y}, {1, 10});
  const UnitWork work = net.work();
  EXPECT_EQ(work.op, "Add");
  EXPECT_EQ(work.input_elements, 10);
  EXPECT_EQ(work.output_elements, 10);
  EXPECT_EQ(work.vector_ops, 20);
}

TEST(MovingData, IsNoOperation) {
  OneUnit net;
  net.node("Concat", {net.input("a", {1, 4}), net.input("b", {1, 6})}, {1, 10}, {{"axis", std::int64_t{1}}});
  const UnitWork work = net.work();
  EXPECT_EQ(work.vector_ops, 0);
  EXPECT_EQ(work.input_elements, 10);
  EXPECT_EQ(work.output_elements, 10);
}

TEST(Resize, TakesTapsPerResizedDimension) {
  const auto ops = [](const std::string& mode) {
    OneUnit net;
    net.node("Resize", {net.input("x", {1, 2, 3, 3})}, {1, 2, 6, 6}, {{"mode", mode}});
    return net.work().vector_ops;
  };
  EXPECT_EQ(ops("nearest"), 72);
  EXPECT_EQ(ops("linear"), 72 * 4);
  EXPECT_EQ(ops("cubic"), 72 * 16);
}

TEST(Softmax, SweepsThreeTimes) {
  OneUnit net;
  net.node("Softmax", {net.input("x", {1, 10})}, {1, 10});
  EXPECT_EQ(net.work().vector_ops, 30);
}

TEST(UnknownOperator, CountsItsOutputs) {
  OneUnit net;
  net.node("Erf", {net.input("x", {1, 10})}, {1, 10});
  EXPECT_EQ(net.work().vector_ops, 10);
}

TEST(WorkBeyond64Bits, IsRefused) {
  OneUnit net;
  net.node("MaxPool", {net.input("x", {1, 1, std::int64_t{1} << 30, std::int64_t{1} << 30})},
           {1, 1, std::int64_t{1} << 30, std::int64_t{1} << 30}, {{"kernel_shape", Integers{100, 100}}});
  try {
    net.work();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_NE(error.hint().find("--shape"), std::string::npos);
  }
}

}  // namespace
}  // namespace cleave::cost
