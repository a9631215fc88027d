#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "cost/models.h"

namespace cleave::cost {

namespace {

template <typename Map>
std::vector<std::string> keys(const Map& map) {
  std::vector<std::string> names;
  for (const auto& entry : map) names.push_back(entry.first);
  return names;
}

}  // namespace

std::string bits_key(quant::Bits weight, quant::Bits activation) {
  return "W" + std::to_string(weight.count) + "A" + std::to_string(activation.count);
}

double seconds(const TableModel& model, const Request& request) {
  const auto unit = model.unit_s.find(request.unit_name);
  if (unit == model.unit_s.end()) {
    throw Error(ErrorKind::kUnsupported,
                "the device's table has no unit '" + request.unit_name + "'" +
                    did_you_mean(request.unit_name, keys(model.unit_s)),
                "Measure this network on the device again, or use a device with a formula (roofline, systolic).");
  }
  const std::string wanted = bits_key(request.weight, request.activation);
  const auto row = unit->second.find(wanted);
  if (row == unit->second.end()) {
    throw Error(ErrorKind::kUnsupported,
                "the device's table has no " + wanted + " for unit '" + request.unit_name + "'; it has " +
                    join_text(keys(unit->second), ", "),
                "Measure that bit-width, or restrict the search with --weight-bits and --activation-bits.");
  }
  return row->second;
}

bool prices_width(const Device& device, quant::Bits width) {
  const auto* table = std::get_if<TableModel>(&device.model);
  return table == nullptr || std::all_of(table->unit_s.begin(), table->unit_s.end(), [width](const auto& unit) {
           return unit.second.contains(bits_key(width, width));
         });
}

}  // namespace cleave::cost
