#pragma once

#include <string>

namespace cleave::exec {

/// What this machine can do at most, measured with loops that compute and move nothing.
struct Peak {
  std::string isa;              ///< instruction set measured with: "avx512_vnni"
  double float_macs_per_s = 0;  ///< float32 multiply-adds
  double code_macs_per_s = 0;   ///< products of 8-bit codes, summed in int32
};

/// The best of several short runs on `threads` threads at once (0: all cores), with the widest instruction set at hand
/// (ONEDNN_MAX_CPU_ISA lowers it).
/// Cost  about 0.2 s.
Peak measure_peak(int threads);

}  // namespace cleave::exec
