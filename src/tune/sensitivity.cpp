#include "tune/sensitivity.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "exec/rounding.h"
#include "graph/part.h"
#include "graph/units.h"
#include "quant/distortion.h"
#include "tune/output_loss.h"
#include "tune/part.h"
#include "tune/rest.h"
#include "tune/sample_stream.h"

namespace cleave::tune {

using graph::Graph;
using graph::TensorId;
using graph::Unit;
using quant::Bits;

namespace {

constexpr int kInputBits = 8;

/// One bit-width of one unit's weights; `row` is its place in the table.
struct WeightFlip {
  quant::WeightQuantizer grid;
  std::size_t row = 0;
};
/// One bit-width of one activation.
struct ActivationFlip {
  std::string tensor;
  quant::AffineQuantizer grid;
  std::size_t row = 0;
};

bool has_float_weights(const Graph& graph, const Unit& unit) {
  return unit.weight != TensorId::kNone && graph.constant(unit.weight) != nullptr &&
         graph.constant(unit.weight)->dtype() == DType::kFloat32;
}

/// Activations that units make themselves: what is only moved lies on its source's grid.
std::vector<TensorId> made_activations(const Graph& graph, const Unit& unit) {
  std::vector<TensorId> made;
  if (graph::moved_tensor(graph, unit)) return made;
  for (const TensorId id : unit.outputs) {
    if (graph.tensor(id).dtype == DType::kFloat32) made.push_back(id);
  }
  return made;
}

std::vector<int> with_input_bits(const std::vector<int>& bits) {
  std::set<int> all(bits.begin(), bits.end());
  all.insert(kInputBits);
  return {all.begin(), all.end()};
}

/// The network's outputs that are not constants.
std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const TensorId id : graph::live_before(graph, graph.units().size())) names.push_back(graph.tensor(id).name);
  return names;
}

std::map<std::string, std::string> measures(const Graph& graph) {
  std::map<std::string, std::string> by_output;
  for (const std::string& name : output_names(graph)) {
    const graph::TensorInfo& output = graph.tensor(*graph.find(name));
    if (output.dtype == DType::kFloat32) by_output[name] = output_measure_name(output_measure(output.shape));
  }
  return by_output;
}

}  // namespace

struct SensitivityMeter::Impl {
  Impl(const Graph& network, const quant::CalibrationTable& calibration, const SensitivityOptions& wanted)
      : graph(network),
        options(wanted),
        workers(thread_count(wanted.threads)),
        whole(network, 0, {}, workers),
        weights(network.units().size()),
        activations(network.units().size() + 1) {
    table.made_from = {{"model", graph.fingerprint()}, {"calibration", calibration.fingerprint()}};
    table.clip = quant::clip_method_name(options.clip);
    table.measure_of = measures(graph);
    choose_weights();
    choose_activations(calibration);
  }

  void choose_weights() {
    for (std::size_t u = 0; u < graph.units().size(); ++u) {
      const Unit& unit = graph.units()[u];
      if (!has_float_weights(graph, unit)) continue;
      for (const int bits : options.weight_bits) {
        weights[u].push_back({{}, table.weights.size()});
        table.weights.push_back({unit.name, bits, 0, {}});
      }
    }
    parallel_for(static_cast<std::int64_t>(weights.size()), options.threads, [this](std::int64_t u) {
      const Unit& unit = graph.units()[static_cast<std::size_t>(u)];
      for (WeightFlip& flip : weights[static_cast<std::size_t>(u)]) {
        SensitivityRow& row = table.weights[flip.row];
        const Tensor& values = *graph.constant(unit.weight);
        const quant::WeightChoice choice =
            quant::choose_weights(values, unit.weight_axis, Bits{row.bits}, options.clip);
        flip.grid = choice.quantizer;
        row.mse_ratio = quant::relative_mse(choice.mse, quant::mean_square(values));
      }
    });
  }

  void choose_activations(const quant::CalibrationTable& calibration) {
    for (const TensorId id : graph.inputs()) {
      add_activation(0, id, with_input_bits(options.activation_bits), calibration);
    }
    for (std::size_t u = 0; u < graph.units().size(); ++u) {
      for (const TensorId id : made_activations(graph, graph.units()[u])) {
        add_activation(u + 1, id, options.activation_bits, calibration);
      }
    }
    parallel_for(static_cast<std::int64_t>(activations.size()), options.threads, [&](std::int64_t position) {
      for (ActivationFlip& flip : activations[static_cast<std::size_t>(position)]) {
        SensitivityRow& row = table.activations[flip.row];
        const quant::ActivationValues seen = calibration.tensor(row.name).activation_values();
        const quant::ActivationChoice choice = quant::choose_activation(seen, Bits{row.bits}, options.clip);
        flip.grid = choice.quantizer;
        row.mse_ratio = quant::relative_mse(choice.mse, seen.values.mean_square());
      }
    });
  }

  /// An activation that is there once the units before `position` have run. One that was never finite has no grid.
  void add_activation(std::size_t position, TensorId id, const std::vector<int>& bits,
                      const quant::CalibrationTable& calibration) {
    const std::string& name = graph.tensor(id).name;
    if (graph.tensor(id).dtype != DType::kFloat32 || calibration.tensor(name).counts.finite() == 0) return;
    for (const int count : bits) {
      activations[position].push_back({name, {}, table.activations.size()});
      table.activations.push_back({name, count, 0, {}});
    }
  }

  /// Damages of a chunk, [flip in table order][sample]; first weights, then activations.
  class Chunk {
   public:
    Chunk(Impl& meter, std::span<const Tensor> samples)
        : meter_(meter),
          stream_(meter.graph, samples, {}, meter.workers),
          wanted_(samples.size()),
          weights_(meter.table.weights.size(), std::vector<double>(samples.size())),
          activations_(meter.table.activations.size(), std::vector<double>(samples.size())) {
      for_each_sample(samples.size(), meter.workers,
                      [this](int worker, std::size_t i) { wanted_[i] = meter_.whole.run(worker, stream_.live(i)); });
    }

    void measure(const StageControl& control) {
      const std::size_t units = meter_.graph.units().size();
      flip_activations(0, meter_.whole);
      for (std::size_t u = 0; u < units; ++u) {
        if (control.stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "measuring interrupted");
        control.report(static_cast<std::int64_t>(u), static_cast<std::int64_t>(units));
        const Rest rest(meter_.graph, u + 1, {}, meter_.workers);
        flip_weights(u, rest);
        Part unit(meter_.graph, {u, u + 1}, {}, meter_.workers);
        stream_.advance(unit);
        flip_activations(u + 1, rest);
      }
      control.report(static_cast<std::int64_t>(units), static_cast<std::int64_t>(units));
    }

    void add_to(SensitivityTable& sums) const {
      for (std::size_t row = 0; row < weights_.size(); ++row) {
        for (const double damage : weights_[row]) sums.weights[row].damage.add(damage);
      }
      for (std::size_t row = 0; row < activations_.size(); ++row) {
        for (const double damage : activations_[row]) sums.activations[row].damage.add(damage);
      }
    }

   private:
    void flip_weights(std::size_t u, const Rest& rest) {
      const Graph alone = graph::part_between(meter_.graph, u, u + 1);
      for (const WeightFlip& flip : meter_.weights[u]) {
        exec::QuantizationSpec spec;
        spec.weights[meter_.graph.units()[u].name] = flip.grid;
        Part rounded(exec::with_rounded_weights(alone, spec), {0, alone.units().size()}, {}, meter_.workers);
        for_each_sample(stream_.size(), meter_.workers, [&](int worker, std::size_t i) {
          std::vector<Tensor> made;
          rounded.run(worker, stream_.live(i), made);
          Values live = stream_.live(i);
          for (std::size_t o = 0; o < made.size(); ++o) live[rounded.outputs()[o]] = made[o];
          weights_[flip.row][i] = output_damage(wanted_[i], rest.run(worker, live));
        });
      }
    }

    void flip_activations(std::size_t position, const Rest& rest) {
      const std::vector<ActivationFlip>& flips = meter_.activations[position];
      for_each_sample(stream_.size(), meter_.workers, [&](int worker, std::size_t i) {
        for (const ActivationFlip& flip : flips) {
          Values live = stream_.live(i);
          Tensor rounded = live.at(flip.tensor).clone();
          exec::round_to_grid(rounded.mutable_data<float>(), flip.grid);
          live[flip.tensor] = std::move(rounded);
          activations_[flip.row][i] = output_damage(wanted_[i], rest.run(worker, live));
        }
      });
    }

    Impl& meter_;
    SampleStream stream_;
    std::vector<std::vector<Tensor>> wanted_;
    std::vector<std::vector<double>> weights_;
    std::vector<std::vector<double>> activations_;
  };

  const Graph& graph;
  SensitivityOptions options;
  int workers;
  Rest whole;                                            ///< kept: the compiled parts read its packed weights
  std::vector<std::vector<WeightFlip>> weights;          ///< by unit
  std::vector<std::vector<ActivationFlip>> activations;  ///< by how many units have run
  SensitivityTable table;
};

SensitivityMeter::SensitivityMeter(const Graph& graph, const quant::CalibrationTable& table,
                                   const SensitivityOptions& options) {
  if (table.graph_fingerprint != graph.fingerprint()) {
    throw Error(ErrorKind::kStale, "the calibration table was made from another network",
                "Run cleave calibrate on this model.");
  }
  impl_ = std::make_unique<Impl>(graph, table, options);
}

SensitivityMeter::~SensitivityMeter() = default;

void SensitivityMeter::add(std::span<const Tensor> samples, const StageControl& control) {
  Impl::Chunk chunk(*impl_, samples);
  chunk.measure(control);
  chunk.add_to(impl_->table);
}

const SensitivityTable& SensitivityMeter::table() const {
  return impl_->table;
}

std::int64_t affordable_samples(const Graph& graph, const SensitivityOptions& options) {
  constexpr double kWork = 1.8e13;        // in multiply-accumulates: some minutes of two cores
  constexpr double kMacsPerElement = 60;  // what an element costs beside the multiplications that made it
  double rest = 0;                        // of what follows the unit
  double all = 0;
  for (auto unit = graph.units().rbegin(); unit != graph.units().rend(); ++unit) {
    const auto macs = static_cast<double>(unit->macs);
    const auto weight_flips = has_float_weights(graph, *unit) ? options.weight_bits.size() : 0;
    const auto activation_flips = made_activations(graph, *unit).size() * options.activation_bits.size();
    all += static_cast<double>(weight_flips) * (rest + macs) + static_cast<double>(activation_flips) * rest;
    rest += macs;
    for (const TensorId id : unit->outputs) {
      rest += kMacsPerElement * static_cast<double>(element_count(graph.tensor(id).shape));
    }
  }
  return std::clamp(static_cast<std::int64_t>(kWork / std::max(all, 1.0)), std::int64_t{8}, std::int64_t{256});
}

}  // namespace cleave::tune
