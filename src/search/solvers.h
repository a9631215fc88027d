#pragma once

#include "search/solver.h"

namespace cleave::search {

/// The solvers behind the rows of the table; see docs/search.md.

/// Every edge set, every choice: the oracle. Obeys the contract's ties. Throws Error(kUnsupported) when there are more
/// than options.max_decisions answers to look at.
Outcome solve_exhaustive(const Problem& problem, const SolveOptions& options);

/// Auto-Split's Algorithm 1 (Banitalebi-Dehkordi et al., KDD 2021) with every crossing tensor priced.
Outcome solve_autosplit(const Problem& problem, const SolveOptions& options);

/// Prefixes and minimum cuts under Lagrange multipliers as edge sets, bits by local moves, neighbouring sets until
/// nothing is better; never worse than autosplit. The relaxation's bound is proven, so its answer may be "optimal".
Outcome solve_lagrange(const Problem& problem, const SolveOptions& options);

/// Nothing on the edge; network inputs are sent at the bits that they have there.
Outcome solve_cloud_only(const Problem& problem, const SolveOptions& options);

/// Everything on the edge at 8 bits (the narrowest offered from 8 up).
Outcome solve_edge_only_8bit(const Problem& problem, const SolveOptions& options);

}  // namespace cleave::search
