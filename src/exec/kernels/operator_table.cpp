#include "exec/kernels/operator_table.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/support_checks.h"

namespace cleave::exec {
namespace {

constexpr DTypeSet types() {
  return 0;
}

template <typename... Rest>
constexpr DTypeSet types(DType first, Rest... rest) {
  return (DTypeSet{1} << static_cast<int>(first)) | types(rest...);
}

constexpr DTypeSet kFloat = types(DType::kFloat32);
constexpr DTypeSet kFloats = types(DType::kFloat32, DType::kFloat64);
constexpr DTypeSet kBools = types(DType::kBool);
constexpr DTypeSet kNumbers = kFloats | types(DType::kInt32, DType::kInt64, DType::kUint8, DType::kInt8);
constexpr DTypeSet kValues = kNumbers | kBools;
constexpr DTypeSet kAll =
    kValues | types(DType::kUint16, DType::kInt16, DType::kUint32, DType::kUint64, DType::kFloat16, DType::kBfloat16);
constexpr DTypeSet kCodes = types(DType::kUint8, DType::kInt8, DType::kInt32);
constexpr DTypeSet kCastable = kValues | types(DType::kUint16, DType::kInt16, DType::kUint32, DType::kUint64);

constexpr auto kPlain = LayoutSupport::kPlain;
constexpr auto kAlike = LayoutSupport::kAlike;
constexpr auto kFollows = LayoutSupport::kFollows;
constexpr auto kStridedInputs = LayoutSupport::kStridedInputs;

constexpr Operator unary(std::string_view name, DTypeSet set, FastLowering fast = nullptr) {
  return {name, set, kAlike, true, reference::unary, nullptr, fast};
}

constexpr Operator binary(std::string_view name, FastLowering fast = nullptr) {
  return {name, kNumbers, kFollows, false, reference::binary, nullptr, fast};
}

constexpr Operator compare(std::string_view name, DTypeSet set) {
  return {name, set, kFollows, false, reference::compare, nullptr, nullptr};
}

constexpr Operator reduce(std::string_view name) {
  return {name, kNumbers, kStridedInputs, false, reference::reduce, nullptr, nullptr};
}

constexpr Operator rename(std::string_view name) {
  return {name, kAll, kPlain, false, reference::copy, only_first_output, fast::lower_reshape};
}

constexpr Operator data_sized(std::string_view name, DTypeSet set, FreeKernel kernel) {
  return {name, set, kPlain, false, nullptr, nullptr, nullptr, kernel};
}

constexpr std::array kTable = {
    Operator{"Conv", kFloat, kPlain, false, reference::conv, check_convolution, fast::lower_convolution},
    Operator{"ConvTranspose", kFloat, kPlain, false, reference::conv_transpose, check_convolution,
             fast::lower_transposed_convolution},
    Operator{"Gemm", kFloats, kPlain, false, reference::gemm, nullptr, fast::lower_gemm},
    Operator{"MatMul", kFloats | types(DType::kInt32, DType::kInt64), kPlain, false, reference::matmul, nullptr,
             fast::lower_matmul},

    Operator{"BatchNormalization", kFloat, kFollows, true, reference::batch_normalization, check_batch_normalization,
             fast::lower_batch_normalization},
    Operator{"InstanceNormalization", kFloat, kPlain, true, reference::instance_normalization, nullptr, nullptr},
    Operator{"LayerNormalization", kFloat, kPlain, true, reference::layer_normalization, only_first_output, nullptr},
    Operator{"LRN", kFloat, kPlain, false, reference::lrn, nullptr, nullptr},
    Operator{"Softmax", kFloat, kFollows, false, reference::softmax, nullptr, fast::lower_softmax},
    Operator{"LogSoftmax", kFloat, kFollows, false, reference::softmax, nullptr, nullptr},

    Operator{"MaxPool", kFloats | types(DType::kUint8, DType::kInt8), kPlain, false, reference::pool, check_pooling,
             fast::lower_pooling},
    Operator{"AveragePool", kFloat, kPlain, false, reference::pool, check_pooling, fast::lower_pooling},
    Operator{"LpPool", kFloat, kPlain, false, reference::pool, check_pooling, nullptr},
    Operator{"GlobalAveragePool", kFloat, kStridedInputs, false, reference::global_pool, nullptr,
             fast::lower_global_pooling},
    Operator{"GlobalMaxPool", kFloat, kStridedInputs, false, reference::global_pool, nullptr,
             fast::lower_global_pooling},

    unary("Relu", kNumbers, fast::lower_activation),
    unary("LeakyRelu", kFloats, fast::lower_activation),
    unary("Sigmoid", kFloats, fast::lower_activation),
    unary("Tanh", kFloats, fast::lower_activation),
    unary("Elu", kFloats, fast::lower_activation),
    unary("HardSwish", kFloats, fast::lower_activation),
    unary("HardSigmoid", kFloats),
    unary("Celu", kFloats),
    unary("Selu", kFloats),
    unary("Mish", kFloats),
    unary("Softplus", kFloats),
    unary("Softsign", kFloats),
    unary("ThresholdedRelu", kFloats),
    Operator{"Clip", kNumbers, kAlike, true, reference::clip, nullptr, fast::lower_activation},
    Operator{"PRelu", kFloat, kFollows, false, reference::prelu, nullptr, fast::lower_prelu},

    unary("Abs", kNumbers),
    unary("Neg", kNumbers),
    unary("Sign", kNumbers),
    unary("Exp", kFloats),
    unary("Log", kFloats),
    unary("Sqrt", kFloats),
    unary("Erf", kFloats),
    unary("Sin", kFloats),
    unary("Cos", kFloats),
    unary("Reciprocal", kFloats),
    unary("Ceil", kFloats),
    unary("Floor", kFloats),
    unary("Round", kFloats),
    unary("Not", kBools),

    binary("Add", fast::lower_binary),
    binary("Sub", fast::lower_binary),
    binary("Mul", fast::lower_binary),
    binary("Div", fast::lower_binary),
    binary("Max", fast::lower_binary),
    binary("Min", fast::lower_binary),
    binary("Sum", fast::lower_binary),
    binary("Mean"),
    binary("Mod"),
    binary("Pow"),
    compare("Equal", kValues),
    compare("Less", kNumbers),
    compare("LessOrEqual", kNumbers),
    compare("Greater", kNumbers),
    compare("GreaterOrEqual", kNumbers),
    compare("And", kBools),
    compare("Or", kBools),
    compare("Xor", kBools),
    Operator{"Where", kBools, kFollows, false, reference::where, check_where, nullptr},

    reduce("ReduceSum"),
    reduce("ReduceMean"),
    reduce("ReduceMax"),
    reduce("ReduceMin"),
    reduce("ReduceProd"),
    reduce("ReduceL1"),
    reduce("ReduceL2"),
    reduce("ReduceSumSquare"),
    reduce("ReduceLogSum"),
    reduce("ReduceLogSumExp"),
    Operator{"ArgMax", kNumbers, kStridedInputs, false, reference::arg_reduce, nullptr, nullptr},
    Operator{"ArgMin", kNumbers, kStridedInputs, false, reference::arg_reduce, nullptr, nullptr},

    Operator{"QuantizeLinear", kFloat, kAlike, false, reference::quantize_linear, check_quantize, nullptr},
    Operator{"DequantizeLinear", kCodes, kAlike, false, reference::dequantize_linear, check_quantize, nullptr},
    Operator{"Cast", kCastable, kAlike, false, reference::cast, check_cast, nullptr},

    rename("Identity"),
    Operator{"Dropout", kAll, kPlain, false, reference::dropout, nullptr, nullptr},
    rename("Reshape"),
    rename("Flatten"),
    rename("Squeeze"),
    rename("Unsqueeze"),
    Operator{"Transpose", kAll, kStridedInputs, false, reference::transpose, nullptr, fast::lower_transpose},
    Operator{"Slice", kAll, kFollows, false, reference::slice, nullptr, nullptr},
    Operator{"Concat", kAll, kFollows, false, reference::concat, nullptr, nullptr},
    Operator{"Split", kAll, kFollows, false, reference::split, nullptr, nullptr},
    Operator{"Pad", kAll, kFollows, false, reference::pad, nullptr, nullptr},
    Operator{"Tile", kAll, kFollows, false, reference::tile, nullptr, nullptr},
    Operator{"Expand", kAll, kFollows, false, reference::expand, nullptr, nullptr},
    Operator{"Gather", kAll, kPlain, false, reference::gather, nullptr, nullptr},
    Operator{"GatherElements", kAll, kPlain, false, reference::gather_elements, nullptr, nullptr},
    Operator{"DepthToSpace", kAll, kFollows, false, reference::depth_to_space, nullptr, nullptr},
    Operator{"SpaceToDepth", kAll, kFollows, false, reference::space_to_depth, nullptr, nullptr},
    Operator{"Resize", kFloat, kFollows, false, reference::resize, check_resize, fast::lower_resize},
    Operator{"Shape", kAll, kStridedInputs, false, reference::shape_of, nullptr, nullptr},
    Operator{"Size", kAll, kStridedInputs, false, reference::shape_of, nullptr, nullptr},
    Operator{"Constant", kAll, kPlain, false, reference::constant, check_constant, nullptr},
    Operator{"ConstantOfShape", types(DType::kInt64), kPlain, false, reference::constant_of_shape, nullptr, nullptr},
    Operator{"Range", kFloats | types(DType::kInt32, DType::kInt64), kPlain, false, reference::range, nullptr, nullptr},

    data_sized("NonZero", kAll, reference::nonzero),
    data_sized("Compress", kAll, reference::compress),
    data_sized("Unique", kCastable, reference::unique),
    data_sized("NonMaxSuppression", kFloat, reference::non_max_suppression),
};

}  // namespace

std::span<const Operator> operator_table() {
  return kTable;
}

const Operator* find_operator(std::string_view name) {
  const auto found = std::find_if(kTable.begin(), kTable.end(), [&](const Operator& row) { return row.name == name; });
  return found == kTable.end() ? nullptr : &*found;
}

const Operator& operator_of(const graph::Node& node) {
  const Operator* row = find_operator(node.op);
  CLEAVE_CHECK(row != nullptr, "the session checks support before it compiles");
  return *row;
}

}  // namespace cleave::exec
