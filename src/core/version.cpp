#include "core/version.h"

namespace cleave {

const char* version() {
  return "0.1.0";
}

}  // namespace cleave
