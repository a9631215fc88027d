#pragma once

#include <string>
#include <vector>

#include "bundle/halves.h"
#include "bundle/quantizers.h"
#include "core/json.h"

namespace cleave::bundle {

/// Where a bundle comes from and how its parts belong together.
struct Origin {
  std::string model_sha256;
  std::string graph_fingerprint;
  std::string plan_fingerprint;
  std::string pairing;  ///< the same in both halves and the manifest
  int opset = 0;        ///< of both files
};

/// Everything of cleave.manifest/1 but the files' hashes, which save() adds.
Json make_manifest(const Origin& origin, const graph::Graph& prepared, const ChosenQuantizers& chosen,
                   const Interface& interface, bool batchable);

/// Wire tensors as the manifest lists them. Throws Error(kInvalidInput).
std::vector<WireTensor> wire_from_manifest(const Json& manifest, const std::string& origin);

/// The quantizers that a bundle was made with. `graph`: the prepared network. Throws Error(kInvalidInput | kStale).
exec::QuantizationSpec spec_from_manifest(const Json& manifest, const graph::Graph& graph, const search::Plan& plan);

/// Network outputs in the model's order. Throws Error(kInvalidInput).
std::vector<std::string> outputs_from_manifest(const Json& manifest, const std::string& origin);

}  // namespace cleave::bundle
