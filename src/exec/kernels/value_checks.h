#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "core/error.h"
#include "exec/kernels/kernel.h"

namespace cleave::exec {

// What kernels ask of values that are only known when they run. All throw or return Error(kInvalidInput) naming the
// node.

/// "node 'name' (Operator): what"
Error bad_value(const KernelCall& call, const std::string& what);

/// The values at hand ask for a result of shape `made`: it must be the one that the graph has for output i.
void require_shape(const KernelCall& call, std::span<const std::int64_t> made, std::size_t i = 0);
void require_shape(const KernelCall& call, std::initializer_list<std::int64_t> made);

/// `index`, which may count from the back, as 0 <= result < dim.
std::int64_t checked_index(const KernelCall& call, std::int64_t index, std::int64_t dim);

/// Sizes that must all be >= 0.
Shape checked_sizes(const KernelCall& call, std::vector<std::int64_t> sizes);

}  // namespace cleave::exec
