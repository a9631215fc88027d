#include <gtest/gtest.h>

#include "exec/kernels/operator_table.h"
#include "operator_cases.h"
#include "random_tensor.h"
#include "support/error_kind.h"
#include "support/ort.h"

namespace cleave::exec {
namespace {

using testing::absent;
using testing::Attributes;
using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::input;
using testing::Operand;
using testing::OperatorCase;
using testing::random_floats;

constexpr std::int64_t kSteps = 5;
constexpr std::int64_t kBatch = 3;
constexpr std::int64_t kInput = 4;
constexpr std::int64_t kHidden = 6;

Operand floats(const Shape& shape, std::uint64_t seed) {
  return input(random_floats(shape, seed));
}

Operand weights(const Shape& shape, std::uint64_t seed) {
  return constant(random_floats(shape, seed));
}

std::vector<DType> outputs_of(const std::string& op) {
  return std::vector<DType>(op == "LSTM" ? 3 : 2, DType::kFloat32);
}

/// All inputs of a cell; `optional`: bias, lengths, initial states and peepholes too.
std::vector<Operand> inputs_of(const std::string& op, std::int64_t directions, bool optional) {
  const std::int64_t gates = op == "RNN" ? 1 : op == "GRU" ? 3 : 4;
  std::vector<Operand> inputs = {floats({kSteps, kBatch, kInput}, 1), weights({directions, gates * kHidden, kInput}, 2),
                                 weights({directions, gates * kHidden, kHidden}, 3)};
  if (!optional) return inputs;
  inputs.push_back(weights({directions, 2 * gates * kHidden}, 4));
  inputs.push_back(constant(Tensor::from<std::int32_t>({kBatch}, std::vector<std::int32_t>{5, 2, 4})));
  inputs.push_back(floats({directions, kBatch, kHidden}, 5));
  if (op != "LSTM") return inputs;
  inputs.push_back(floats({directions, kBatch, kHidden}, 6));
  inputs.push_back(weights({directions, 3 * kHidden}, 7));
  return inputs;
}

TEST(RecurrentOperators, CellsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  for (const std::string op : {"RNN", "GRU", "LSTM"}) {
    for (const std::string direction : {"forward", "reverse", "bidirectional"}) {
      const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
      for (const bool optional : {false, true}) {
        cases.push_back({direction + (optional ? " with everything" : ""),
                         op,
                         inputs_of(op, directions, optional),
                         {{"hidden_size", kHidden}, {"direction", direction}},
                         outputs_of(op)});
      }
    }
    cases.push_back({"clip", op, inputs_of(op, 1, true), {{"hidden_size", kHidden}, {"clip", 0.3f}}, outputs_of(op)});
  }
  cases.push_back({"linear before reset",
                   "GRU",
                   inputs_of("GRU", 1, true),
                   {{"hidden_size", kHidden}, {"linear_before_reset", std::int64_t{1}}},
                   outputs_of("GRU")});
  cases.push_back({"coupled gates",
                   "LSTM",
                   inputs_of("LSTM", 1, false),
                   {{"hidden_size", kHidden}, {"input_forget", std::int64_t{1}}},
                   outputs_of("LSTM")});
  cases.push_back({"other activations",
                   "LSTM",
                   inputs_of("LSTM", 1, false),
                   {{"hidden_size", kHidden},
                    {"activations", std::vector<std::string>{"HardSigmoid", "Softsign", "LeakyRelu"}},
                    {"activation_alpha", std::vector<float>{0.3f, 0.02f}},
                    {"activation_beta", std::vector<float>{0.4f}}},
                   outputs_of("LSTM")});
  expect_like_onnx_runtime(cases, 14, 3e-5);
}

TEST(RecurrentOperators, RefuseSequencesLongerThanTheInput) {
  graph::Node node;
  node.op = "RNN";
  node.outputs = {graph::TensorId::kNone, graph::TensorId{0}};
  const Tensor x(DType::kFloat32, {2, 1, 3});
  const Tensor w(DType::kFloat32, {1, 4, 3});
  const Tensor r(DType::kFloat32, {1, 4, 4});
  const auto lengths = Tensor::from<std::int32_t>({1}, std::vector<std::int32_t>{3});
  Tensor last(DType::kFloat32, {1, 1, 4});
  const std::vector<InputView> inputs = {view_of(x), view_of(w), view_of(r), InputView{}, view_of(lengths)};
  const std::vector<OutputView> outputs = {
      OutputView{}, {last.dtype(), last.shape(), strides_of(last.shape(), Layout::kPlain), last.mutable_raw().data()}};
  EXPECT_EQ(cleave::testing::kind_of([&] {
              find_operator("RNN")->reference({node, inputs, outputs});
            }),
            ErrorKind::kInvalidInput);
}

}  // namespace
}  // namespace cleave::exec
