#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "cost/device.h"

namespace cleave::cost {

/// Where a device file's figures come from: for people.
struct Provenance {
  std::string source;
  std::string confidence;
  std::vector<std::string> notes;
};

/// A device file (cleave.device/1) that Device::from_json reads back, with ComputeScaling::kNone and 32-bit floats.
Json device_file(const std::string& name, const RooflineModel& model, const Provenance& provenance);
Json device_file(const std::string& name, const TableModel& model, const Provenance& provenance);

}  // namespace cleave::cost
