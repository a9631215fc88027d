#pragma once

#include "search/solver.h"

namespace cleave::search {

/// The solvers behind the rows of the table; see docs/search.md.

/// Every edge set, every choice: the oracle. Obeys the contract's ties. Throws Error(kUnsupported) when there are more
/// than options.max_decisions answers to look at.
Outcome solve_exhaustive(const Problem& problem, const SolveOptions& options);

/// The optimum, proved, on real networks; under a stop the best so far with its gap. Obeys the contract's ties. For a
/// network that is too wide for it, a good answer and a bound.
Outcome solve_exact(const Problem& problem, const SolveOptions& options);

/// Auto-Split's Algorithm 1 (Banitalebi-Dehkordi et al., KDD 2021) with every crossing tensor priced.
Outcome solve_autosplit(const Problem& problem, const SolveOptions& options);

/// Prefixes and minimum cuts under Lagrange multipliers as edge sets, bits by local moves, neighbouring sets until
/// nothing is better; never worse than autosplit. The relaxation's bound is proven, so its answer may be "optimal".
Outcome solve_lagrange(const Problem& problem, const SolveOptions& options);

/// Neurosurgeon (Kang et al., ASPLOS 2017): of the prefixes of the schedule the one of least latency at full precision,
/// which is the widest bits of every list.
Outcome solve_neurosurgeon(const Problem& problem, const SolveOptions& options);

/// DADS under light load (Hu et al., INFOCOM 2019): of all sets of edge units the one of least latency at full
/// precision, a minimum cut. Where one tensor is counted (single-tensor pricing), the best prefix.
Outcome solve_dads(const Problem& problem, const SolveOptions& options);

/// QDMP (Zhang et al., IMWUT 2020): the same set from one small cut per part of the network between two cut vertices.
Outcome solve_qdmp(const Problem& problem, const SolveOptions& options);

/// QDMP's edge units at 16 and at 4 bits, the narrowest offered from there up (Auto-Split's ablation).
Outcome solve_qdmp_e(const Problem& problem, const SolveOptions& options);
Outcome solve_qdmp_e_u4(const Problem& problem, const SolveOptions& options);

/// Everything on the edge at one width, the fastest of 2 to 8 bits that keeps the limits; a list without that width
/// gives its narrowest above, widths above a list's widest are left out.
Outcome solve_uniform(const Problem& problem, const SolveOptions& options);

/// Nothing on the edge; network inputs are sent at 8 bits (CLOUD16), or at the bits that they have on the edge.
Outcome solve_cloud16(const Problem& problem, const SolveOptions& options);
Outcome solve_cloud_only(const Problem& problem, const SolveOptions& options);

/// Everything on the edge at 8 bits (the narrowest offered from 8 up).
Outcome solve_edge_only_8bit(const Problem& problem, const SolveOptions& options);

/// A plan by lot that keeps the limits; the same for the same options.seed.
Outcome solve_random(const Problem& problem, const SolveOptions& options);

}  // namespace cleave::search
