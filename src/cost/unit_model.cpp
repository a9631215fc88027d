#include "cost/models.h"

namespace cleave::cost {

double seconds(const UnitModel& model, const Request& request) {
  return static_cast<double>(request.work.macs) * model.s_per_mac + request.bytes() * model.s_per_byte;
}

}  // namespace cleave::cost
