#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "tune/sample_stream.h"
#include "tune/steps.h"
#include "tune/unit_runs.h"

namespace cleave::tune {

/// How one unit's weights came to be.
struct UnitReport {
  std::string unit;
  double error_before = 0;  ///< |y - z|^2 / |z|^2 over the samples: weights rounded to the nearest, own bias
  double error_after = 0;   ///< with what was chosen; z the float network's output, y this one's behind its grid
  std::map<std::string, std::int64_t> channels;  ///< how many took each candidate, "gptq+local"
};

/// Rounds the weights of one unit, with the samples of both networks standing before it.
///
///     rounding   nearest | gptq: H of the rounded inputs | compensated: GPTQ of the least-squares weights that bring
///                the rounded inputs nearest to the float network's sums (least_squares.h), at several dampings
///                aciq: the nearest with mean and spread given back (quant/weight_correction.h)
///     bias       own | local: - E[(Wq - W) x] on float inputs | expected: the same from the inputs' means alone |
///     sums: means of the sums as in the float network |
///                outputs: means of the unit's outputs as in the float network
///
/// Each output channel takes the pair with the least squared error behind activation function and grid, measured
/// against the float network. One sample out of each four is for that comparison alone: what fits the other samples only is not
/// chosen. Sources: Frantar et al., "GPTQ", 2023; Nagel et al., "Data-free quantization", 2019.
class UnitTuner {
 public:
  /// `unit` has weights in `spec` and one output. Both streams stand before it.
  UnitTuner(const graph::Graph& graph, std::size_t unit, const SampleStream& floats, const SampleStream& rounded,
            const exec::QuantizationSpec& spec);

  /// Chooses codes and bias and writes them into `spec`.
  UnitReport tune(const Steps& steps, exec::QuantizationSpec& spec) const;

 private:
  struct Candidate;
  bool fits(std::size_t sample) const;    ///< used for fitting
  bool checks(std::size_t sample) const;  ///< used for comparing
  static bool drawn(std::size_t sample);
  UnitRuns::Parameters parameters(const Candidate& candidate) const;
  Candidate measured(Candidate candidate) const;
  void add_corrected(std::vector<Candidate>& found) const;
  std::optional<PerChannel> input_means() const;
  std::vector<Candidate> roundings(const Steps& steps) const;
  void add_biases(std::size_t rounding, std::vector<Candidate>& found) const;
  UnitReport choose(const std::vector<Candidate>& candidates, exec::QuantizationSpec& spec) const;
  Tensor shifted_bias(const PerChannel& shift) const;

  const graph::Graph& graph_;
  const graph::Unit& unit_;
  const SampleStream& floats_;
  const SampleStream& rounded_;
  const quant::WeightQuantizer& quantizer_;
  UnitRuns runs_;
  UnitRuns::Parameters plain_;  ///< grids and weights of the spec, nothing chosen yet
  std::optional<int> axis_;     ///< of the channels; empty: nothing to choose by
  std::vector<Tensor> targets_;
};

}  // namespace cleave::tune
