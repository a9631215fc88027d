#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "exact_unit.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "quantized_network.h"
#include "support/ort.h"
#include "support/shared.h"
#include "unit_codes.h"

namespace cleave::exec {
namespace {

/// How far codes are from ONNX Runtime's, elements left out that have the code of exact arithmetic: there it is ONNX
/// Runtime's sum or function that was rounded to the other side of a boundary.
testing::CodeDifference difference(const testing::CodeUnit& unit, const std::map<std::string, Tensor>& in_ort,
                                   const Tensor& given) {
  const testing::ExactUnit exact(unit.graph, in_ort);
  const auto ours = given.data<std::uint8_t>();
  const auto theirs = in_ort.at(unit.name).data<std::uint8_t>();
  testing::CodeDifference found;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] == theirs[i] || exact.code(static_cast<std::int64_t>(i)) == ours[i]) continue;
    ++found.apart;
    found.largest = std::max(found.largest, std::abs(int{ours[i]} - int{theirs[i]}));
  }
  return found;
}

class QuantizedModels : public ::testing::TestWithParam<const char*> {};

/// Every unit alone, on the codes that ONNX Runtime's integer kernels gave to what it reads.
TEST_P(QuantizedModels, GiveOnnxRuntimesCodesUnitByUnit) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(GetParam()) + ".onnx");
  const graph::Graph prepared = graph::prepare(graph::Model::load(path));
  for (const int bits : {8, 6, 4}) {
    const auto network = testing::quantize(prepared, bits);
    const auto in_ort = testing::codes_in_ort(network.graph, network.input, "all");
    for (const testing::CodeUnit& unit : testing::code_units(network.graph)) {
      const Tensor given = testing::fast_codes(unit, in_ort);
      const testing::CodeDifference found = difference(unit, in_ort, given);
      EXPECT_LE(found.largest, 1) << unit.name << " at " << bits << " bits";
      EXPECT_LE(static_cast<double>(found.apart), std::max(1.0, 0.001 * static_cast<double>(given.elements())))
          << unit.name << " at " << bits << " bits";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedModels,
                         ::testing::Values("mobilenet_v2_1.0_224", "nanodet_m", "resnet20_cifar10",
                                           "super_resolution_subpixel", "squeezenet1.1", "yolox_nano"));

}  // namespace
}  // namespace cleave::exec
