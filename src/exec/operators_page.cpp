#include "exec/operators_page.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "exec/kernels/operator_table.h"
#include "exec/kernels/support_checks.h"
#include "exec/session.h"
#include "graph/operator_versions.h"

namespace cleave::exec {
namespace {

constexpr std::string_view kIntroduction = R"(# Operators

What `cleave` can run, and therefore calibrate, price and cut: operators of ONNX's own domain at the meaning of opset 13
and later. Older models are raised when they are loaded, whereby operators that ONNX has given up become those that took
their place (`Upsample` becomes `Resize`). `cleave check MODEL` names every node that is not among them, and every
attribute or type that is not supported, with the node's name. ONNX's own conformance cases hold the kernels to the
specification; `tests/conformance/refusals.txt` lists the cases that are refused.

`If`, `Loop`, `Scan`, shapes given as inputs, and operators whose results' sizes depend on the data run; a network can be
calibrated and cut only where every shape is known before it runs ([pipeline](pipeline.md)). Sequences, optional values
and strings are refused by name.

This page is written from the table in `src/exec/kernels/operator_table.cpp`, and a test holds it equal to it
(`CLEAVE_WRITE_PAGES=1 test_exec --gtest_filter=OperatorsPage.*` writes it again).

- **Since** is the opset with which the operator came.
- **Element types** are those of the first input. *floats*: float16, bfloat16, float32, float64; *integers*: int8 to int64
  and uint8 to uint64; *unsigned*: uint8 to uint64; *numbers*: floats and integers; *all*: numbers and bool. float16 and
  bfloat16 are computed in float32 and rounded once, to the nearest.
)";

constexpr DTypeSet set_of(std::initializer_list<DType> types) {
  DTypeSet set = 0;
  for (const DType dtype : types) set |= DTypeSet{1} << static_cast<int>(dtype);
  return set;
}

/// A set of element types with a name of its own.
struct TypeGroup {
  std::string_view name;
  DTypeSet types;
};

constexpr std::array kGroups{
    TypeGroup{"all", set_of({DType::kFloat16, DType::kBfloat16, DType::kFloat32, DType::kFloat64, DType::kInt8,
                             DType::kInt16, DType::kInt32, DType::kInt64, DType::kUint8, DType::kUint16, DType::kUint32,
                             DType::kUint64, DType::kBool})},
    TypeGroup{"numbers",
              set_of({DType::kFloat16, DType::kBfloat16, DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kInt16,
                      DType::kInt32, DType::kInt64, DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64})},
    TypeGroup{"floats", set_of({DType::kFloat16, DType::kBfloat16, DType::kFloat32, DType::kFloat64})},
    TypeGroup{"integers", set_of({DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64, DType::kUint8,
                                  DType::kUint16, DType::kUint32, DType::kUint64})},
    TypeGroup{"unsigned", set_of({DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64})},
};

std::string types_text(DTypeSet set) {
  std::string text;
  const auto add = [&text](std::string_view name) { text += (text.empty() ? "" : ", ") + std::string(name); };
  for (const TypeGroup& group : kGroups) {
    if ((set & group.types) != group.types) continue;
    add(group.name);
    set &= ~group.types;
  }
  for (int number = 1; number < 32; ++number) {
    if ((set >> number & 1U) != 0) add(dtype_name(static_cast<DType>(number)));
  }
  return text;
}

std::string since_text(const std::string& op) {
  const auto first = graph::first_opset_of(op);
  return first ? std::to_string(*first) : "after " + std::to_string(graph::newest_known_opset());
}

std::string limits_text(const Operator& row) {
  return std::string(row.free_kernel != nullptr ? "its result's size is known only when it runs" : "") +
         std::string(limits_of(row.unsupported));
}

/// Of operators that hold graphs.
std::string control_limits(const std::string& op) {
  return op == "Scan" ? "operators of this page inside; from opset 9 on" : "operators of this page inside";
}

}  // namespace

std::string operators_page() {
  std::ostringstream page;
  const std::vector<std::string> names = supported_operators();
  page << kIntroduction << "\n## " << names.size() << " operators\n\n";
  page << "| Operator | Since | Element types | Limits |\n|---|---|---|---|\n";
  for (const std::string& name : names) {
    const Operator* row = find_operator(name);
    page << "| " << name << " | " << since_text(name) << " | ";
    page << (row == nullptr ? "all" : types_text(row->types)) << " | ";
    page << (row == nullptr ? control_limits(name) : limits_text(*row)) << " |\n";
  }
  return page.str();
}

}  // namespace cleave::exec
