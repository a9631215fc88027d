#include "quant/shards.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/text.h"

namespace cleave::quant {

std::string Shards::text() const {
  std::vector<std::string> texts;
  for (const std::int64_t index : indices) texts.push_back(std::to_string(index));
  return join_text(texts, ",") + " of " + std::to_string(count);
}

void Shards::merge(const Shards& other) {
  if (count != other.count) {
    throw Error(ErrorKind::kInvalidInput, "shards " + text() + " and " + other.text() + " are not of one run",
                "Merge the shards of each run first.");
  }
  if (complete()) return;
  std::vector<std::int64_t> both;
  std::set_union(indices.begin(), indices.end(), other.indices.begin(), other.indices.end(), std::back_inserter(both));
  if (both.size() < indices.size() + other.indices.size()) {
    throw Error(ErrorKind::kInvalidInput, "shards " + text() + " and " + other.text() + " overlap");
  }
  indices = std::move(both);
  if (static_cast<std::int64_t>(indices.size()) == count) *this = Shards();
}

}  // namespace cleave::quant
