#pragma once

#include <string>

namespace cleave::exec {

/// docs/operators.md: every operator of the table with the opset it came with, its element types and its limits.
std::string operators_page();

}  // namespace cleave::exec
