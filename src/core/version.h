#pragma once

namespace cleave {

/// "0.1.0": the tool's version, written into every artefact.
const char* version();

}  // namespace cleave
