#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "search/problem.h"

namespace cleave::bench {

/// What the blocks of a synthetic network look like.
///
///     chain      conv 3x3                                                                              1 unit
///     residual   conv 1x1, conv 3x3, conv 1x1, add                                                     4 units
///     dense      3 x (conv 3x3 on everything before it in the block, concat), conv 1x1                 7 units
///     inception  conv 1x1 | conv 1x1, conv 3x3 | conv 1x1, conv 5x5 | pool, conv 1x1, concat           8 units
///     mixed      each block one of the four
enum class BlockKind { kChain, kResidual, kDense, kInception, kMixed };

/// "chain", "residual", "dense", "inception", "mixed", in the order of BlockKind.
std::span<const char* const> block_names();
/// Throws Error(kUsage) for another name ("did you mean").
BlockKind block_from_name(const std::string& name);

/// A problem of exactly `units` units for measuring solvers, without a network: a stem, five stages in which the side
/// halves and the channels double (112 x 112 x 64 to 7 x 7 x 1024), a pool and a classifier.
///
/// Bits         2 to 8 for weights, activations and the wire; the input has 8.
/// Distortion   s 4^(2 - bits), s between 1/4 and 4 from tensor to tensor, within 1/8 from bits to bits.
/// Edge         macs / 34e9 + bytes at the chosen bits / 1e9, times 0.75 to 1.25; the cloud is 100 times as fast.
/// Wire         0.6 to 1 of the packed bytes, as an entropy coder leaves them.
/// Link         the input takes three times as long as all units on the edge at 8 bits.
/// Limits       the first two thirds of the units, all on the edge, need M(b) bytes and D(b) distortion at b bits
///              throughout: edge_memory_bytes = sqrt(M(2) M(8)), distortion = sqrt(D(2) D(8)). The fastest plan without
///              limits breaks both.
///
/// The same arguments give the same problem on every machine. Throws Error(kUsage) for fewer than 8 units.
search::Problem synthetic_problem(int units, BlockKind kind, std::uint64_t seed);

}  // namespace cleave::bench
