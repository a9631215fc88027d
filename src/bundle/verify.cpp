#include "bundle/verify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "bundle/manifest.h"
#include "bundle/run_bundle.h"
#include "core/error.h"
#include "graph/builder.h"
#include "graph/prepare.h"
#include "quant/packing.h"

namespace cleave::bundle {

using graph::Graph;
using graph::TensorId;
using quant::AffineQuantizer;

namespace {

constexpr double kLargestRelativeError = 1e-4;
constexpr std::int64_t kCodesPerDifference = 1000;  // at most 0.1 % of the codes differ

template <typename T>
std::vector<double> widened(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return std::vector<double>(data.begin(), data.end());
}

std::vector<double> as_numbers(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return widened<float>(tensor);
    case DType::kFloat64:
      return widened<double>(tensor);
    case DType::kInt64:
      return widened<std::int64_t>(tensor);
    case DType::kInt32:
      return widened<std::int32_t>(tensor);
    case DType::kUint8:
      return widened<std::uint8_t>(tensor);
    case DType::kInt8:
      return widened<std::int8_t>(tensor);
    case DType::kBool:
      return widened<bool>(tensor);
    default:
      throw Error(ErrorKind::kUnsupported,
                  "outputs of type " + std::string(dtype_name(tensor.dtype())) + " cannot be compared");
  }
}

/// Largest difference of two tensors; in units of b's range as well. Infinite where one is not a number.
struct Difference {
  double absolute = 0;
  double relative = 0;
};

Difference difference(const Tensor& a, const Tensor& b) {
  const auto x = as_numbers(a);
  const auto y = as_numbers(b);
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (x.size() != y.size()) return {kInfinite, kInfinite};
  Difference worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double apart = x[i] == y[i] ? 0 : std::fabs(x[i] - y[i]);
    worst.absolute = std::max(worst.absolute, std::isnan(apart) ? kInfinite : apart);
  }
  if (y.empty() || worst.absolute == 0) return worst;
  const auto [low, high] = std::minmax_element(y.begin(), y.end());
  const double range = *high > *low ? *high - *low : std::fabs(*high);
  worst.relative = range > 0 ? worst.absolute / range : kInfinite;
  return worst;
}

std::size_t argmax(const Tensor& tensor) {
  const auto values = as_numbers(tensor);
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

graph::PrepareOptions shapes_of(const Json& manifest) {
  graph::PrepareOptions options;
  for (JsonReader& input : JsonReader(manifest, "manifest.json").objects("inputs")) {
    options.input_shapes[input.text("name")] = input.integers("shape");
  }
  return options;
}

Error not_the_original(const graph::Model& model) {
  return Error(ErrorKind::kStale, model.path() + " is not the network that the bundle was made from",
               "Give the original model, or export a bundle of this one.");
}

Graph prepare_original(const LoadedBundle& bundle, const graph::Model& model) {
  JsonReader recorded = JsonReader(*bundle.manifest, "manifest.json").object("model");
  const graph::PrepareOptions shapes = shapes_of(*bundle.manifest);
  for (const auto& [name, shape] : shapes.input_shapes) {
    const auto id = model.graph().find(name);
    if (!id || !model.graph().is_input(*id)) throw not_the_original(model);
  }
  Graph prepared = graph::prepare(model, shapes);
  if (recorded.text("graph") != prepared.fingerprint()) throw not_the_original(model);
  return prepared;
}

/// Grids and scales as the manifest lists them; codes and biases that were tuned, as tuned.json has them.
exec::QuantizationSpec spec_of(const LoadedBundle& bundle, const Graph& prepared) {
  exec::QuantizationSpec spec = spec_from_manifest(*bundle.manifest, prepared, bundle.plan);
  if (bundle.tuned) {
    tune::TunedFile tuned = tune::tuned_from_json(bundle.tuned, "tuned.json", prepared);
    spec.weight_codes = std::move(tuned.spec.weight_codes);
    spec.biases = std::move(tuned.spec.biases);
  }
  return spec;
}

/// The judge: the same plan, fake-quantized on the whole network, beside the two files.
class Verifier {
 public:
  Verifier(const LoadedBundle& bundle, const graph::Model& model)
      : bundle_(bundle),
        prepared_(prepare_original(bundle, model)),
        spec_(spec_of(bundle, prepared_)),
        runner_(bundle),
        whole_float_(prepared_) {
    for (const TensorId id : runner_.edge().graph().outputs())
      from_edge_.push_back(runner_.edge().graph().tensor(id).name);
    make_edge_side();
    make_cloud_side();
  }

  void check(std::span<const Tensor> inputs) {
    const auto from_edge = runner_.run_edge(inputs);
    compare_edge(from_edge, inputs);
    const std::vector<Tensor> outputs = runner_.run_cloud(from_edge);
    if (cloud_side_) compare_cloud(from_edge, outputs);
    const std::vector<Tensor> reference = whole_float_.run(inputs);
    for (std::size_t i = 0; i < reference.size(); ++i) {
      result_.max_rel_error_to_float =
          std::max(result_.max_rel_error_to_float, difference(outputs[i], reference[i]).relative);
    }
    if (argmax(outputs[0]) == argmax(reference[0])) ++agreeing_;
    ++result_.images;
  }

  Verification result() const {
    Verification result = result_;
    result.argmax_agreement = static_cast<double>(agreeing_) / static_cast<double>(result.images);
    result.pass = result.crossing_codes_differing * kCodesPerDifference <= result.crossing_codes &&
                  result.largest_code_difference <= 1 && result.max_rel_error <= kLargestRelativeError;
    return result;
  }

 private:
  const WireTensor* wire_of(const std::string& port) const {
    for (const WireTensor& wire : bundle_.wire) {
      if (wire.port == port) return &wire;
    }
    return nullptr;
  }

  bool is_packed(const WireTensor* wire) const { return wire != nullptr && wire->quantizer.bits.quantized(); }

  /// The fake-quantized network up to what the edge returns, codes instead of packed bytes.
  void make_edge_side() {
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    for (const TensorId id : prepared_.inputs()) inputs.push_back(prepared_.tensor(id).name);
    for (const std::string& port : from_edge_) {
      const WireTensor* wire = wire_of(port);
      outputs.push_back(is_packed(wire) ? exec::wire_codes_name(wire->tensor) : port);
    }
    edge_side_.emplace(graph::extract(exec::fake_quantize(prepared_, spec_), inputs, outputs));
  }

  /// The prepared network from the crossing tensors to the results made on the cloud.
  void make_cloud_side() {
    if (bundle_.wire.empty()) return;
    std::vector<std::string> crossing;
    std::vector<std::string> results;
    for (const WireTensor& wire : bundle_.wire) crossing.push_back(wire.tensor);
    for (const TensorId id : runner_.cloud()->graph().outputs()) {
      results.push_back(runner_.cloud()->graph().tensor(id).name);
    }
    cloud_side_.emplace(graph::extract(prepared_, crossing, results));
  }

  void compare_edge(const std::map<std::string, Tensor>& from_edge, std::span<const Tensor> inputs) {
    const std::vector<Tensor> expected = edge_side_->run(inputs);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string& port = from_edge_[i];
      const Tensor& actual = from_edge.at(port);
      const WireTensor* wire = wire_of(port);
      const auto decided = spec_.activations.find(port);
      if (is_packed(wire)) {
        const auto bytes = actual.data<std::uint8_t>();
        compare_codes(quant::unpack(bytes, element_count(wire->shape), wire->quantizer.bits),
                      expected[i].data<std::uint8_t>());
      } else if (decided != spec_.activations.end() && !prepared_.is_input(*prepared_.find(port))) {
        compare_codes(codes(actual, decided->second), codes(expected[i], decided->second));
      } else {
        note(difference(actual, expected[i]));
      }
    }
  }

  static std::vector<std::uint8_t> codes(const Tensor& values, const AffineQuantizer& quantizer) {
    std::vector<std::uint8_t> codes;
    for (const float value : values.data<float>()) codes.push_back(quantizer.code(value));
    return codes;
  }

  void compare_codes(std::span<const std::uint8_t> actual, std::span<const std::uint8_t> expected) {
    result_.crossing_codes += static_cast<std::int64_t>(expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::int64_t apart = std::abs(static_cast<int>(actual[i]) - static_cast<int>(expected[i]));
      if (apart > 0) ++result_.crossing_codes_differing;
      result_.largest_code_difference = std::max(result_.largest_code_difference, apart);
    }
  }

  void compare_cloud(const std::map<std::string, Tensor>& from_edge, const std::vector<Tensor>& outputs) {
    std::vector<Tensor> crossing;
    for (const WireTensor& wire : bundle_.wire) crossing.push_back(dequantized(wire, from_edge.at(wire.port)));
    const std::vector<Tensor> expected = cloud_side_->run(crossing);
    const Graph& side = cloud_side_->graph();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& names = runner_.output_names();
      const auto found = std::find(names.begin(), names.end(), side.tensor(side.outputs()[i]).name);
      note(difference(outputs[static_cast<std::size_t>(found - names.begin())], expected[i]));
    }
  }

  static Tensor dequantized(const WireTensor& wire, const Tensor& sent) {
    if (!wire.quantizer.bits.quantized()) return sent;
    Tensor values(DType::kFloat32, wire.shape);
    const auto to = values.mutable_data<float>();
    const auto codes = quant::unpack(sent.data<std::uint8_t>(), values.elements(), wire.quantizer.bits);
    std::transform(codes.begin(), codes.end(), to.begin(), [&](std::uint8_t c) { return wire.quantizer.value(c); });
    return values;
  }

  void note(const Difference& difference) {
    result_.max_abs_error = std::max(result_.max_abs_error, difference.absolute);
    result_.max_rel_error = std::max(result_.max_rel_error, difference.relative);
  }

  const LoadedBundle& bundle_;
  Graph prepared_;
  exec::QuantizationSpec spec_;
  BundleRunner runner_;
  exec::Session whole_float_;
  std::optional<exec::Session> edge_side_;
  std::optional<exec::Session> cloud_side_;
  std::vector<std::string> from_edge_;
  Verification result_;
  std::int64_t agreeing_ = 0;
};

}  // namespace

Json Verification::to_json() const {
  Json json = make_document("verification");
  json["images"] = images;
  json["crossing_codes"] = crossing_codes;
  json["crossing_codes_differing"] = crossing_codes_differing;
  json["largest_code_difference"] = largest_code_difference;
  json["max_abs_error"] = max_abs_error;
  json["max_rel_error"] = max_rel_error;
  json["max_rel_error_to_float"] = max_rel_error_to_float;
  json["argmax_agreement"] = argmax_agreement;
  json["pass"] = pass;
  return json;
}

Verification verify(const LoadedBundle& bundle, const graph::Model& model, const InputSource& inputs,
                    const StageControl& control) {
  Verifier verifier(bundle, model);
  std::int64_t done = 0;
  for (; const auto sample = inputs(done); ++done) {
    if (control.stop.stop_requested())
      throw Error(ErrorKind::kInterrupted, "stopped after " + std::to_string(done) + " images");
    verifier.check(*sample);
    control.report(done + 1, 0);
  }
  if (done == 0) throw Error(ErrorKind::kInvalidInput, "there is no image to verify with");
  return verifier.result();
}

}  // namespace cleave::bundle
