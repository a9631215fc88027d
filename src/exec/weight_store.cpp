#include "exec/weight_store.h"

#include <algorithm>

#include "core/fingerprint.h"

namespace cleave::exec {

std::shared_ptr<WeightStore::Entry> WeightStore::entry(const std::string& key) {
  const std::lock_guard lock(mutex_);
  // Swept when it has doubled since the last time, so that names of weights long gone cost no more than the living.
  if (entries_.size() >= sweep_at_) {
    std::erase_if(entries_,
                  [](const auto& item) { return item.second.use_count() == 1 && item.second->value.expired(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * entries_.size());
  }
  std::shared_ptr<Entry>& known = entries_[key];
  if (known == nullptr) known = std::make_shared<Entry>();
  return known;
}

std::shared_ptr<const void> WeightStore::find_or_make_any(const std::string& key, const Maker<void>& make) {
  const std::shared_ptr<Entry> found = entry(key);
  const std::lock_guard lock(found->making);
  std::shared_ptr<const void> value = found->value.lock();
  if (value != nullptr) return value;
  value = make();
  found->value = value;
  return value;
}

std::size_t WeightStore::live() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& item) { return !item.second->value.expired(); }));
}

WeightStore& shared_weights() {
  static WeightStore store;
  return store;
}

std::string content_key(const Tensor& tensor) {
  return Hasher().add_number(static_cast<std::int64_t>(tensor.dtype())).add(tensor.raw()).hex();
}

}  // namespace cleave::exec
