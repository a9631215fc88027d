#pragma once

#include <map>
#include <string>

namespace cleave::conformance {

/// refusals.txt: cases that cleave refuses, with the reason it must give. Lines "folder/case: reason".
const std::map<std::string, std::string>& refusals();

}  // namespace cleave::conformance
