#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exec/kernels/kernel.h"
#include "graph/graph.h"

namespace cleave::exec {

class Compiler;
struct Group;

/// Which layouts a kernel can be given.
enum class LayoutSupport {
  kPlain,          ///< plain only
  kAlike,          ///< any, but the same for all tensors of full rank
  kFollows,        ///< reads strides; outputs take the first input's layout
  kStridedInputs,  ///< reads strides; outputs are plain
};

/// Set of element types, one bit per ONNX number.
using DTypeSet = std::uint32_t;

/// The faster way to run a group whose main node is this operator: emits steps and returns true, or emits nothing that
/// matters and returns false.
using FastLowering = bool (*)(Compiler& compiler, const Group& group);

/// Why a node of this operator cannot run, or empty.
using SupportCheck = std::optional<std::string> (*)(const graph::Graph& graph, const graph::Node& node);

/// One operator of ONNX's own domain.
struct Operator {
  std::string_view name;
  DTypeSet types;  ///< of the first input (of the first output where there is none)
  LayoutSupport layouts;
  bool may_overwrite;                ///< element by element: the output may take the first input's place
  Kernel reference;                  ///< null where free_kernel is given
  SupportCheck unsupported;          ///< may be null
  FastLowering fast;                 ///< may be null
  FreeKernel free_kernel = nullptr;  ///< of operators whose results' shapes depend on the data; null otherwise
};

/// All operators, in the order of their families.
std::span<const Operator> operator_table();

/// The row of that name, or nullptr.
const Operator* find_operator(std::string_view name);

/// The row of a node whose support has been checked.
const Operator& operator_of(const graph::Node& node);

}  // namespace cleave::exec
