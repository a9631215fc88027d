#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "graph/model.h"
#include "graph/prepare.h"
#include "quantized_network.h"
#include "support/ort.h"
#include "support/shared.h"
#include "unit_codes.h"

namespace cleave::exec {
namespace {

class QuantizedModels : public ::testing::TestWithParam<const char*> {};

/// Every unit alone, on the codes that ONNX Runtime's integer kernels gave to what it reads.
TEST_P(QuantizedModels, GiveOnnxRuntimesCodesUnitByUnit) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(GetParam()) + ".onnx");
  const auto network = testing::quantize(graph::prepare(graph::Model::load(path)));
  const auto codes = testing::codes_in_ort(network.graph, network.input, "all");
  for (const testing::CodeUnit& unit : testing::code_units(network.graph)) {
    const Tensor given = testing::fast_codes(unit, codes);
    const testing::CodeDifference d = testing::code_difference(given, testing::judged_codes(unit, codes));
    EXPECT_LE(d.largest, 1) << unit.name;
    EXPECT_LE(static_cast<double>(d.apart), std::max(1.0, 0.001 * static_cast<double>(given.elements()))) << unit.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedModels,
                         ::testing::Values("mobilenet_v2_1.0_224", "nanodet_m", "resnet20_cifar10",
                                           "super_resolution_subpixel", "squeezenet1.1", "yolox_nano"));

}  // namespace
}  // namespace cleave::exec
