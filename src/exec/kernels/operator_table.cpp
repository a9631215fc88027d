#include "exec/kernels/operator_table.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/support_checks.h"
#include "exec/kernels/widen.h"

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
constexpr DTypeSet kHalves = types(DType::kFloat16, DType::kBfloat16);
constexpr DTypeSet kFloats = kFloat | kHalves | types(DType::kFloat64);
constexpr DTypeSet kUnsigned = types(DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64);
constexpr DTypeSet kIntegers = kUnsigned | types(DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64);
constexpr DTypeSet kSizes = types(DType::kInt32, DType::kInt64);
constexpr DTypeSet kBools = types(DType::kBool);
constexpr DTypeSet kNumbers = kFloats | kIntegers;
constexpr DTypeSet kAll = kNumbers | kBools;
constexpr DTypeSet kBytes = types(DType::kUint8, DType::kInt8);
constexpr DTypeSet kCodes = kBytes | types(DType::kUint16, DType::kInt16, DType::kInt32, DType::kUint4, DType::kInt4);

constexpr auto kPlain = LayoutSupport::kPlain;
constexpr auto kAlike = LayoutSupport::kAlike;
constexpr auto kFollows = LayoutSupport::kFollows;
constexpr auto kStridedInputs = LayoutSupport::kStridedInputs;

constexpr Operator unary(std::string_view name, DTypeSet set, FastLowering fast = nullptr) {
  return {name, set, kAlike, true, widened<reference::unary>, nullptr, fast};
}

constexpr Operator binary(std::string_view name, FastLowering fast = nullptr, DTypeSet set = kNumbers) {
  return {name, set, kFollows, false, widened<reference::binary>, nullptr, fast};
}

constexpr Operator compare(std::string_view name, DTypeSet set) {
  return {name, set, kFollows, false, widened<reference::compare>, nullptr, nullptr};
}

constexpr Operator reduce(std::string_view name) {
  return {name, kNumbers, kStridedInputs, false, widened<reference::reduce>, nullptr, nullptr};
}

constexpr Operator rename(std::string_view name) {
  return {name, kAll, kPlain, false, reference::rename, only_first_output, fast::lower_reshape};
}

constexpr Operator window(std::string_view name) {
  return {name, kSizes, kPlain, false, widened<reference::cosine_window>, nullptr, nullptr};
}

constexpr Operator data_sized(std::string_view name, DTypeSet set, FreeKernel kernel) {
  return {name, set, kPlain, false, nullptr, nullptr, nullptr, kernel};
}

constexpr std::array kTable = {
    Operator{"Conv", kFloats, kPlain, false, widened<reference::conv>, check_convolution, fast::lower_convolution},
    Operator{"ConvTranspose", kFloats, kPlain, false, widened<reference::conv_transpose>, check_convolution,
             fast::lower_transposed_convolution},
    Operator{"Gemm", kFloats | types(DType::kInt32, DType::kInt64, DType::kUint32, DType::kUint64), kPlain, false,
             widened<reference::gemm>, nullptr, fast::lower_gemm},
    Operator{"MatMul", kFloats | types(DType::kInt32, DType::kInt64, DType::kUint32, DType::kUint64), kPlain, false,
             widened<reference::matmul>, nullptr, fast::lower_matmul},

    Operator{"BatchNormalization", kFloats, kFollows, true, widened<reference::batch_normalization>,
             check_batch_normalization, fast::lower_batch_normalization},
    Operator{"InstanceNormalization", kFloats, kPlain, true, widened<reference::instance_normalization>, nullptr,
             nullptr},
    Operator{"LayerNormalization", kFloats, kPlain, true, widened<reference::layer_normalization>,
             check_layer_normalization, nullptr},
    Operator{"GroupNormalization", kFloats, kPlain, true, widened<reference::group_normalization>,
             check_group_normalization, nullptr},
    Operator{"LRN", kFloats, kPlain, false, widened<reference::lrn>, nullptr, nullptr},
    Operator{"MeanVarianceNormalization", kFloats, kAlike, false, widened<reference::mean_variance_normalization>,
             nullptr, nullptr},
    Operator{"LpNormalization", kFloats, kPlain, false, widened<reference::lp_normalization>, nullptr, nullptr},
    Operator{"NegativeLogLikelihoodLoss", kFloats, kPlain, false, widened<reference::negative_log_likelihood_loss>,
             nullptr, nullptr},
    Operator{"SoftmaxCrossEntropyLoss", kFloats, kPlain, false, widened<reference::softmax_cross_entropy_loss>, nullptr,
             nullptr},
    Operator{"Hardmax", kFloats, kPlain, false, widened<reference::hardmax>, nullptr, nullptr},
    Operator{"CumSum", kNumbers, kPlain, false, widened<reference::cumulative_sum>, nullptr, nullptr},
    Operator{"Einsum", kNumbers, kPlain, false, widened<reference::einsum>, nullptr, nullptr},
    Operator{"Det", kFloats, kPlain, false, widened<reference::determinant>, nullptr, nullptr},
    Operator{"Softmax", kFloats, kFollows, false, widened<reference::softmax>, nullptr, fast::lower_softmax},
    Operator{"LogSoftmax", kFloats, kFollows, false, widened<reference::softmax>, nullptr, nullptr},

    Operator{"MaxPool", kFloats | types(DType::kUint8, DType::kInt8), kPlain, false, widened<reference::pool>,
             check_pooling, fast::lower_pooling},
    Operator{"AveragePool", kFloats, kPlain, false, widened<reference::pool>, check_pooling, fast::lower_pooling},
    Operator{"LpPool", kFloats, kPlain, false, widened<reference::pool>, check_pooling, nullptr},
    Operator{"GlobalAveragePool", kFloats, kStridedInputs, false, widened<reference::global_pool>, nullptr,
             fast::lower_global_pooling},
    Operator{"GlobalMaxPool", kFloats, kStridedInputs, false, widened<reference::global_pool>, nullptr,
             fast::lower_global_pooling},
    Operator{"GlobalLpPool", kFloats, kStridedInputs, false, widened<reference::global_pool>, nullptr, nullptr},
    Operator{"MaxUnpool", kAll, kPlain, false, reference::max_unpool, check_max_unpool, nullptr},
    Operator{"MaxRoiPool", kFloat | kHalves, kPlain, false, widened<reference::max_roi_pool>, check_max_roi_pool,
             nullptr},
    Operator{"RoiAlign", kFloat | kHalves, kPlain, false, widened<reference::roi_align>, check_roi_align, nullptr},
    Operator{"GridSample", kFloats, kPlain, false, widened<reference::grid_sample>, check_grid_sample, nullptr},
    Operator{"TopK", kNumbers, kPlain, false, widened<reference::top_k>, check_top_k, nullptr},

    Operator{"RNN", kFloat | kHalves, kPlain, false, widened<reference::rnn>, check_recurrent, nullptr},
    Operator{"GRU", kFloat | kHalves, kPlain, false, widened<reference::gru>, check_recurrent, nullptr},
    Operator{"LSTM", kFloat | kHalves, kPlain, false, widened<reference::lstm>, check_recurrent, nullptr},

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
    unary("Shrink", kNumbers),
    Operator{"Clip", kNumbers, kAlike, true, widened<reference::clip>, nullptr, fast::lower_activation},
    Operator{"PRelu", kNumbers, kFollows, false, widened<reference::prelu>, nullptr, fast::lower_prelu},

    unary("Abs", kNumbers),
    unary("Neg", kNumbers),
    unary("Sign", kNumbers),
    unary("Exp", kFloats),
    unary("Log", kFloats),
    unary("Sqrt", kFloats),
    unary("Erf", kFloats),
    unary("Sin", kFloats),
    unary("Cos", kFloats),
    unary("Tan", kFloats),
    unary("Asin", kFloats),
    unary("Acos", kFloats),
    unary("Atan", kFloats),
    unary("Sinh", kFloats),
    unary("Cosh", kFloats),
    unary("Asinh", kFloats),
    unary("Acosh", kFloats),
    unary("Atanh", kFloats),
    unary("Reciprocal", kFloats),
    unary("Ceil", kFloats),
    unary("Floor", kFloats),
    unary("Round", kFloats),
    unary("Not", kBools),
    Operator{"IsNaN", kFloats, kAlike, false, widened<reference::is_nan>, nullptr, nullptr},
    Operator{"IsInf", kFloats, kAlike, false, widened<reference::is_infinite>, nullptr, nullptr},

    binary("Add", fast::lower_binary),
    binary("Sub", fast::lower_binary),
    binary("Mul", fast::lower_binary),
    binary("Div", fast::lower_division),
    binary("Max", fast::lower_binary),
    binary("Min", fast::lower_binary),
    binary("Sum", fast::lower_binary),
    binary("Mean", nullptr, kFloats),
    binary("Mod"),
    binary("Pow"),
    binary("BitShift", nullptr, kUnsigned),
    compare("Equal", kAll),
    compare("Less", kNumbers),
    compare("LessOrEqual", kNumbers),
    compare("Greater", kNumbers),
    compare("GreaterOrEqual", kNumbers),
    compare("And", kBools),
    compare("Or", kBools),
    compare("Xor", kBools),
    Operator{"Where", kBools, kFollows, false, reference::where, nullptr, nullptr},

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
    Operator{"ArgMax", kNumbers, kStridedInputs, false, widened<reference::arg_reduce>, nullptr, nullptr},
    Operator{"ArgMin", kNumbers, kStridedInputs, false, widened<reference::arg_reduce>, nullptr, nullptr},

    Operator{"QuantizeLinear", kFloat | types(DType::kInt32), kAlike, false, reference::quantize_linear, check_quantize,
             nullptr},
    Operator{"DequantizeLinear", kCodes, kAlike, false, reference::dequantize_linear, check_quantize, nullptr},
    Operator{"DynamicQuantizeLinear", kFloat, kPlain, false, reference::dynamic_quantize_linear, nullptr, nullptr},
    Operator{"QLinearConv", kBytes, kPlain, false, reference::qlinear_conv, check_qlinear_conv, nullptr},
    Operator{"QLinearMatMul", kBytes, kPlain, false, reference::qlinear_matmul, check_qlinear_matmul, nullptr},
    Operator{"ConvInteger", kBytes, kPlain, false, reference::conv_integer, check_conv_integer, nullptr},
    Operator{"MatMulInteger", kBytes, kPlain, false, reference::matmul_integer, check_matmul_integer, nullptr},
    Operator{"Cast", kAll, kAlike, false, reference::cast, check_cast, fast::lower_half_rounding},
    Operator{"CastLike", kAll, kPlain, false, reference::cast, check_cast, nullptr},

    rename("Identity"),
    Operator{"Dropout", kAll, kPlain, false, reference::dropout, check_dropout, nullptr},
    rename("Reshape"),
    rename("Flatten"),
    rename("Squeeze"),
    rename("Unsqueeze"),
    Operator{"Transpose", kAll, kStridedInputs, false, reference::transpose, nullptr, fast::lower_transpose},
    Operator{"Slice", kAll, kFollows, false, reference::slice, nullptr, nullptr},
    Operator{"Concat", kAll, kFollows, false, reference::concat, nullptr, nullptr},
    Operator{"Split", kAll, kFollows, false, reference::split, nullptr, nullptr},
    Operator{"Pad", kAll, kFollows, false, reference::pad, check_pad, nullptr},
    Operator{"Tile", kAll, kFollows, false, reference::tile, nullptr, nullptr},
    Operator{"Expand", kAll, kFollows, false, reference::expand, nullptr, nullptr},
    Operator{"Gather", kAll, kPlain, false, reference::gather, nullptr, nullptr},
    Operator{"GatherElements", kAll, kPlain, false, reference::gather_elements, nullptr, nullptr},
    Operator{"GatherND", kAll, kPlain, false, reference::gather_nd, nullptr, nullptr},
    Operator{"ScatterElements", kAll, kPlain, false, reference::scatter_elements, check_scatter, nullptr},
    Operator{"ScatterND", kAll, kPlain, false, reference::scatter_nd, check_scatter, nullptr},
    Operator{"ReverseSequence", kAll, kPlain, false, reference::reverse_sequence, nullptr, nullptr},
    Operator{"Trilu", kAll, kPlain, false, reference::trilu, nullptr, nullptr},
    Operator{"OneHot", kNumbers, kPlain, false, reference::one_hot, check_one_hot, nullptr},
    Operator{"EyeLike", kAll, kPlain, false, widened<reference::eye_like>, nullptr, nullptr},
    Operator{"DepthToSpace", kAll, kFollows, false, reference::depth_to_space, nullptr, nullptr},
    Operator{"SpaceToDepth", kAll, kFollows, false, reference::space_to_depth, nullptr, nullptr},
    Operator{"Resize", kAll, kFollows, false, widened<reference::resize>, check_resize, fast::lower_resize},
    Operator{"Shape", kAll, kStridedInputs, false, reference::shape_of, nullptr, nullptr},
    Operator{"Size", kAll, kStridedInputs, false, reference::shape_of, nullptr, nullptr},
    Operator{"Constant", kAll, kPlain, false, reference::constant, check_constant, nullptr},
    Operator{"ConstantOfShape", types(DType::kInt64), kPlain, false, reference::constant_of_shape, nullptr, nullptr},
    Operator{"Range", kFloat | types(DType::kFloat64, DType::kInt16, DType::kInt32, DType::kInt64), kPlain, false,
             reference::range, nullptr, nullptr},

    Operator{"DFT", kFloats, kPlain, false, widened<reference::dft>, check_dft, nullptr},
    Operator{"STFT", kFloats, kPlain, false, widened<reference::stft>, check_stft, nullptr},
    window("HannWindow"),
    window("HammingWindow"),
    window("BlackmanWindow"),
    Operator{"MelWeightMatrix", kSizes, kPlain, false, widened<reference::mel_weight_matrix>, check_mel_weights,
             nullptr},

    data_sized("NonZero", kAll, reference::nonzero),
    data_sized("Compress", kAll, reference::compress),
    data_sized("Unique", kAll & ~kHalves, reference::unique),
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
