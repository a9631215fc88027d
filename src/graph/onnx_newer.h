#pragma once

namespace onnx {
class ISchemaRegistry;
}

namespace cleave::graph {

/// libonnx's operators, and over them what opsets 18 to 21 added or changed: enough of each to infer types and shapes.
/// Pooling is here at every opset, since the size that ceil_mode gives was corrected later: a last window that would
/// start in the padding behind is left out.
const onnx::ISchemaRegistry& schemas_with_newer();

}  // namespace cleave::graph
