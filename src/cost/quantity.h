#pragma once

#include <cstdint>
#include <string>

#include "core/json.h"

namespace cleave::cost {

/// A quantity in [1e-18, 1e18]: far from where a quotient of doubles becomes infinite.
/// Throws Error(kInvalidInput): "<place>: must be greater than 0, found <value>" with `hint`.
double positive(JsonReader& reader, const std::string& key, const std::string& hint);

/// The same for an optional key; absent means `fallback`.
double positive_or(JsonReader& reader, const std::string& key, double fallback, const std::string& hint);

/// Optional, 0 allowed.
double non_negative_or(JsonReader& reader, const std::string& key, double fallback, const std::string& hint);

/// A whole number in [1, largest].
std::int64_t count_in(JsonReader& reader, const std::string& key, std::int64_t largest, const std::string& hint);

/// Checks {"source", "confidence", "notes"}: where a preset's figures come from. For people; nothing is computed from
/// it.
void check_provenance(JsonReader& reader);

}  // namespace cleave::cost
