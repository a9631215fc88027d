#include "graph/resolve_shapes.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "graph/builder.h"
#include "graph/inline_branches.h"
#include "graph/onnx_read.h"
#include "graph/passes/passes.h"

namespace cleave::graph {

namespace {

using Symbols = std::map<std::string, std::int64_t>;

Error wrong_shape(const TensorInfo& info, const Shape& given, const std::string& why) {
  return Error(ErrorKind::kInvalidInput,
               "input '" + info.name + "' cannot have the shape " + shape_text(given) + ": " + why);
}

void require_fit(const TensorInfo& info, const Shape& given, std::int64_t smallest) {
  if (std::any_of(given.begin(), given.end(), [&](std::int64_t d) { return d < smallest; })) {
    throw wrong_shape(info, given, "dimensions start at " + std::to_string(smallest));
  }
  element_count(given);
  if (!info.ranked) return;
  if (given.size() != info.shape.size()) {
    throw wrong_shape(info, given, "the network wants " + std::to_string(info.shape.size()) + " dimensions");
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (info.shape[i] > 0 && info.shape[i] != given[i]) {
      throw wrong_shape(info, given,
                        "the network fixes dimension " + std::to_string(i) + " to " + std::to_string(info.shape[i]));
    }
  }
}

std::string dimension_name(const TensorInfo& info, std::size_t i) {
  return i < info.dimension_names.size() ? info.dimension_names[i] : std::string();
}

/// "--shape name=1x3x224x224", with what is known and a plausible size for the rest.
std::string shape_hint(const TensorInfo& info) {
  Shape example = info.ranked ? info.shape : Shape{1, 3, -1, -1};
  for (std::size_t i = 0; i < example.size(); ++i) {
    if (example[i] < 1) example[i] = i == 0 ? 1 : 224;
  }
  return "Give it: --shape " + info.name + "=" + shape_text(example);
}

void require_known_inputs(const Graph& graph, const PrepareOptions& options) {
  std::vector<std::string> names;
  for (const TensorId id : graph.inputs()) names.push_back(graph.tensor(id).name);
  for (const auto& [name, shape] : options.input_shapes) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(ErrorKind::kInvalidInput, "there is no input '" + name + "'" + did_you_mean(name, names),
                  "The inputs are: " + join_text(names, ", ") + ".");
    }
  }
}

/// What a given shape says about symbolic sizes, for the other inputs that use the same symbol.
Symbols known_symbols(const Graph& graph, const PrepareOptions& options) {
  Symbols symbols;
  // A network of empty tensors can be run; there is nothing in it to price.
  const std::int64_t smallest = options.data_dependent == DataDependentShapes::kAccept ? 0 : 1;
  for (const TensorId id : graph.inputs()) {
    const TensorInfo& info = graph.tensor(id);
    const auto given = options.input_shapes.find(info.name);
    if (given == options.input_shapes.end()) continue;
    require_fit(info, given->second, smallest);
    for (std::size_t i = 0; i < info.shape.size(); ++i) {
      const std::string name = dimension_name(info, i);
      if (info.shape[i] < 0 && !name.empty()) symbols.emplace(name, given->second[i]);
    }
  }
  return symbols;
}

Shape fixed_shape(const TensorInfo& info, const PrepareOptions& options, const Symbols& symbols) {
  const auto given = options.input_shapes.find(info.name);
  if (given != options.input_shapes.end()) return given->second;
  if (!info.ranked) {
    throw Error(ErrorKind::kInvalidInput, "input '" + info.name + "': its shape is not known", shape_hint(info));
  }
  Shape shape = info.shape;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::string name = dimension_name(info, i);
    if (shape[i] < 0 && symbols.contains(name)) shape[i] = symbols.at(name);
    if (shape[i] < 0 && i == 0) shape[i] = 1;
    // A list (of axes, of sizes) may be empty; an empty image is rather an exporter's way to say "unknown".
    if (shape[i] > 0 || (shape[i] == 0 && shape.size() == 1)) continue;
    const std::string label = name.empty() ? "" : " ('" + name + "')";
    const bool zero = shape[i] == 0;
    throw Error(
        zero ? ErrorKind::kUnsupported : ErrorKind::kInvalidInput,
        "input '" + info.name + "': dimension " + std::to_string(i) + label + (zero ? " is 0" : " is not known"),
        shape_hint(info));
  }
  element_count(shape);
  return shape;
}

std::size_t unknown_count(const Graph& graph) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    if (!is_fully_known(graph.tensor(static_cast<TensorId>(i)))) ++count;
  }
  return count;
}

}  // namespace

bool is_fully_known(const TensorInfo& info) {
  return info.ranked && info.dtype != DType::kUndefined &&
         std::all_of(info.shape.begin(), info.shape.end(), [](std::int64_t d) { return d >= 0; });
}

void forget_shapes(GraphBuilder& builder, const Graph& graph) {
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    TensorInfo& info = builder.tensor_at(id);
    if (!graph.is_input(id) && graph.constant(id) == nullptr) {
      info.ranked = false;
      info.shape.clear();
    }
    info.dimension_names.clear();
  }
}

Graph fix_inputs(const Graph& graph, const PrepareOptions& options) {
  require_known_inputs(graph, options);
  const Symbols symbols = known_symbols(graph, options);
  GraphBuilder builder(graph);
  forget_shapes(builder, graph);
  for (const TensorId id : graph.inputs()) {
    builder.set_shape(id, graph.tensor(id).dtype, fixed_shape(graph.tensor(id), options, symbols));
  }
  return builder.build();
}

Resolved resolve_shapes(const Graph& graph) {
  Resolved result{graph, 0};
  for (;;) {
    const std::size_t unknown = unknown_count(result.graph);
    if (unknown > 0) result.graph = with_types(result.graph, infer_types(result.graph));
    const std::optional<Patch> patch = fold_all_constants(result.graph);
    if (patch) {
      result.graph = apply(result.graph, *patch);
      result.folded += static_cast<int>(patch->remove.size());
    }
    std::optional<Graph> inlined = inline_constant_branch(result.graph);
    if (inlined) result.graph = std::move(*inlined);
    if (!patch && !inlined && unknown_count(result.graph) == unknown) return result;
  }
}

std::map<std::string, TensorInfo> infer_ranks(const Graph& graph) {
  std::map<std::string, TensorInfo> types;
  std::optional<Graph> shaped;
  try {
    shaped = resolve_shapes(fix_inputs(graph, {})).graph;
  } catch (const Error&) {
    return types;  // an honest "not known": the caller goes on without
  }
  for (std::size_t i = 0; i < shaped->tensor_count(); ++i) {
    TensorInfo info = shaped->tensor(static_cast<TensorId>(i));
    if (!is_fully_known(info)) continue;
    std::fill(info.shape.begin(), info.shape.end(), -1);
    types[info.name] = info;
  }
  return types;
}

}  // namespace cleave::graph
