#include "graph/shape_inputs.h"

#include <map>
#include <string_view>

namespace cleave::graph {
namespace {

using Table = std::map<std::string_view, ShapeInputs>;

const Table& table() {
  static const Table rows{
      {"AffineGrid", {{1}}},
      {"BlackmanWindow", {{0}, true}},
      {"CenterCropPad", {{1}}},
      {"Col2Im", {{1, 2}}},
      {"ConstantOfShape", {{0}, true}},
      {"DFT", {{1, 2}, true}},
      {"Expand", {{1}, true}},
      {"HammingWindow", {{0}, true}},
      {"HannWindow", {{0}, true}},
      {"MaxUnpool", {{2}}},
      {"MelWeightMatrix", {{0, 1}, true}},
      {"OneHot", {{1}, true}},
      {"Pad", {{1, 3}, true}},
      {"Range", {{0, 1, 2}, true}},
      {"ReduceL1", {{1}}},
      {"ReduceL2", {{1}}},
      {"ReduceLogSum", {{1}}},
      {"ReduceLogSumExp", {{1}}},
      {"ReduceMax", {{1}}},
      {"ReduceMean", {{1}}},
      {"ReduceMin", {{1}}},
      {"ReduceProd", {{1}}},
      {"ReduceSum", {{1}, true}},
      {"ReduceSumSquare", {{1}}},
      {"Reshape", {{1}, true}},
      {"Resize", {{1, 2, 3}}},
      {"STFT", {{1, 3}, true}},
      {"Slice", {{1, 2, 3, 4}, true}},
      {"Split", {{1}, true}},
      {"Squeeze", {{1}, true}},
      {"Tile", {{1}, true}},
      {"TopK", {{1}}},
      {"Unsqueeze", {{1}, true}},
      {"Upsample", {{1}}},
  };
  return rows;
}

}  // namespace

const ShapeInputs& shape_inputs(const Node& node) {
  static const ShapeInputs none;
  if (!node.domain.empty()) return none;
  const auto row = table().find(node.op);
  return row == table().end() ? none : row->second;
}

}  // namespace cleave::graph
