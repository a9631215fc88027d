#include "tune/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "core/parallel.h"
#include "exec/bias.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "quant/clip.h"
#include "quant/equalization.h"
#include "tune/channel_weights.h"
#include "tune/equal_links.h"
#include "tune/sample_stream.h"

namespace cleave::tune {

using graph::Graph;
using graph::Unit;

namespace {

constexpr int kMostRounds = 20;
constexpr double kSmallestChange = 1e-4;
constexpr double kSmallestFactor = 1e-2;
constexpr double kLargestFactor = 1e2;

using Statistics = std::map<std::string, quant::TensorStatistics>;

/// Statistics of some tensors over the samples.
Statistics statistics_of(const Graph& graph, const std::vector<std::string>& tensors, std::span<const Tensor> inputs,
                         int threads) {
  if (tensors.empty()) return {};
  std::vector<std::string> ends;
  for (const graph::TensorId id : graph.inputs()) ends.push_back(graph.tensor(id).name);
  const Graph network = graph::extract(graph, ends, tensors);
  const int workers = thread_count(threads);
  std::vector<Statistics> parts(static_cast<std::size_t>(workers));
  std::vector<std::unique_ptr<exec::Session>> sessions(parts.size());
  for_each_sample(inputs.size(), workers, [&](int worker, std::size_t i) {
    const auto w = static_cast<std::size_t>(worker);
    if (sessions[w] == nullptr) sessions[w] = std::make_unique<exec::Session>(network);
    const std::vector<Tensor> values = sessions[w]->run(inputs.subspan(i, 1));
    for (std::size_t t = 0; t < tensors.size(); ++t) parts[w][tensors[t]].add(values[t]);
  });
  Statistics all;
  for (const Statistics& part : parts) {
    for (const auto& [name, statistics] : part) {
      const auto [place, first] = all.emplace(name, statistics);
      if (!first) place->second.merge(statistics);
    }
  }
  return all;
}

/// The factors of a link, by channel, and how far they may go.
struct Factors {
  std::vector<double> now;
  std::vector<double> lowest;
  std::vector<double> highest;
  std::vector<double> uncut;  ///< the least factor under which the bound cuts no more than it did; empty: no bound

  Factors(const quant::TensorStatistics& seen, const std::optional<double>& bound, UpperBounds policy)
      : now(seen.channels.size(), 1),
        lowest(seen.channels.size(), kSmallestFactor),
        highest(seen.channels.size(), kLargestFactor) {
    for (std::size_t c = 0; bound && c < now.size(); ++c) {
      const auto most = static_cast<double>(seen.channels[c].counts.max);
      uncut.push_back(std::clamp(most / *bound, kSmallestFactor, 1.0));
      if (policy == UpperBounds::kLoosen) continue;
      lowest[c] = uncut[c];
      if (most >= *bound) highest[c] = 1;
    }
  }
};

/// The layers of a network on their way to even ranges.
class Equalizer {
 public:
  Equalizer(const Graph& graph, const std::set<std::string>& units, std::span<const Tensor> inputs,
            const EqualizeOptions& options)
      : graph_(graph), links_(equal_links(graph, units)) {
    std::vector<std::string> between;
    for (const EqualLink& link : links_) between.push_back(link.tensors[0]);
    const Statistics seen = statistics_of(graph, between, inputs, options.threads);
    for (const EqualLink& link : links_) {
      for (const std::size_t unit : {link.from, link.to}) layers_.try_emplace(unit, graph, graph.units()[unit]);
      factors_.emplace_back(seen.at(link.tensors[0]), link.bound, options.bounds);
    }
    for (std::size_t i = 0; i < links_.size(); ++i) link_from_[links_[i].from] = i;
  }

  EqualizedNetwork run() {
    double change = 1;
    for (int round = 0; round < kMostRounds && change > kSmallestChange; ++round) change = pass();
    for (std::size_t i = 0; i < links_.size(); ++i) stay_uncut(i);
    return result();
  }

 private:
  /// Returns the largest |ln| of a factor that was applied.
  double pass() {
    double change = 0;
    std::set<std::size_t> done;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if (!done.insert(i).second) continue;
      const ChannelWeights& first = layers_.at(links_[i].from);
      const ChannelWeights& second = layers_.at(links_[i].to);
      const auto next = link_from_.find(links_[i].to);
      if (second.depthwise() && next != link_from_.end()) {
        const ChannelWeights& third = layers_.at(links_[next->second].to);
        const auto wanted =
            quant::triple_equalizers(first.output_ranges(), second.output_ranges(), third.input_ranges());
        change = std::max({change, rescale(i, wanted.first), rescale(next->second, wanted.second)});
        done.insert(next->second);
      } else {
        change = std::max(change, rescale(i, quant::pair_equalizers(first.output_ranges(), second.input_ranges())));
      }
    }
    return change;
  }

  double rescale(std::size_t link, std::vector<double> wanted) {
    Factors& factors = factors_[link];
    double change = 0;
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      const double before = factors.now[c];
      factors.now[c] = std::clamp(before * wanted[c], factors.lowest[c], factors.highest[c]);
      wanted[c] = factors.now[c] / before;
      change = std::max(change, std::fabs(std::log(wanted[c])));
    }
    apply(link, wanted);
    return change;
  }

  void apply(std::size_t link, std::span<const double> factors) {
    layers_.at(links_[link].from).divide_outputs(factors);
    layers_.at(links_[link].to).multiply_inputs(factors);
  }

  /// One more factor for all channels together costs nothing where a tensor has one scale.
  void stay_uncut(std::size_t link) {
    Factors& factors = factors_[link];
    double common = 1;
    for (std::size_t c = 0; c < factors.uncut.size(); ++c) {
      common = std::max(common, factors.uncut[c] / factors.now[c]);
    }
    for (double& factor : factors.now) factor *= common;
    apply(link, std::vector<double>(factors.now.size(), common));
  }

  EqualizedNetwork result() const {
    EqualizedNetwork network;
    graph::GraphBuilder builder(graph_);
    for (const auto& [position, layer] : layers_) {
      const Unit& unit = graph_.units()[position];
      auto& read = builder.node_at(unit.main).inputs;
      read[1] = builder.constant(builder.free_name(unit.name + "::equalized_weight"), layer.weights());
      const Tensor bias = layer.bias();
      if (!bias.empty()) read[2] = builder.constant(builder.free_name(unit.name + "::equalized_bias"), bias);
      network.units.push_back(unit.name);
    }
    for (const EqualLink& link : links_) {
      network.tensors.insert(network.tensors.end(), link.tensors.begin(), link.tensors.end());
    }
    network.graph = builder.build();
    return network;
  }

  const Graph& graph_;
  std::vector<EqualLink> links_;
  std::vector<Factors> factors_;                  ///< one per link
  std::map<std::size_t, ChannelWeights> layers_;  ///< by position in the schedule
  std::map<std::size_t, std::size_t> link_from_;  ///< the link that begins at a position
};

/// Scales of least squared error for other weights, of the kind that the unit had.
quant::WeightQuantizer new_scales(const Tensor& weights, const quant::WeightQuantizer& old) {
  const quant::ClipMethod method = quant::ClipMethod::kAuto;
  if (quant::has_one_scale(old)) return quant::choose_tensor_weights(weights, old.axis, old.bits, method).quantizer;
  return quant::choose_weights(weights, old.axis, old.bits, method).quantizer;
}

const Tensor& weights_of(const Graph& graph, const std::string& name) {
  const auto unit =
      std::find_if(graph.units().begin(), graph.units().end(), [&name](const Unit& u) { return u.name == name; });
  return *graph.constant(unit->weight);
}

}  // namespace

EqualizedNetwork equalize(const Graph& graph, const std::set<std::string>& units, std::span<const Tensor> inputs,
                          const EqualizeOptions& options) {
  return Equalizer(graph, units, inputs, options).run();
}

EqualizedSpec equalize(const Graph& graph, exec::QuantizationSpec spec, std::span<const Tensor> inputs,
                       const EqualizeOptions& options) {
  std::set<std::string> units;
  for (const auto& [unit, quantizer] : spec.weights) {
    if (quantizer.bits.quantized() && quantizer.channel_bits.empty()) units.insert(unit);
  }
  EqualizedSpec equalized{equalize(graph, units, inputs, options), std::move(spec), {}};
  const EqualizedNetwork& network = equalized.network;
  for (const std::string& unit : network.units) {
    quant::WeightQuantizer& quantizer = equalized.spec.weights.at(unit);
    quantizer = new_scales(weights_of(network.graph, unit), quantizer);
  }
  equalized.tensors = statistics_of(network.graph, network.tensors, inputs, options.threads);
  for (const auto& [name, seen] : equalized.tensors) {
    const auto grid = equalized.spec.activations.find(name);
    if (grid == equalized.spec.activations.end() || !grid->second.bits.quantized()) continue;
    grid->second =
        quant::choose_activation(seen.activation_values(), grid->second.bits, quant::ClipMethod::kAuto).quantizer;
  }
  return equalized;
}

void keep_parameters(const EqualizedNetwork& network, exec::QuantizationSpec& spec) {
  const std::set<std::string> changed(network.units.begin(), network.units.end());
  for (const Unit& unit : network.graph.units()) {
    if (!changed.contains(unit.name)) continue;
    if (!spec.weight_codes.contains(unit.name)) {
      spec.weight_codes[unit.name] =
          quant::weight_codes(*network.graph.constant(unit.weight), spec.weights.at(unit.name));
    }
    const Tensor* bias = exec::bias_of(network.graph, unit, spec);
    if (bias != nullptr) spec.biases.try_emplace(unit.name, *bias);
  }
}

}  // namespace cleave::tune
