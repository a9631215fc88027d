#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/tensor.h"

namespace cleave::exec {

/// Weights in the form that kernels read, packed once however many programs read them: other batch sizes, tapped
/// programs, other thread counts, a part of a network and the whole.
///
/// The store refers weakly: a packed weight goes with the last program that reads it. Safe for several threads; while
/// one packs a weight, others that want the same one wait for it.
class WeightStore {
 public:
  template <typename T>
  using Maker = std::function<std::shared_ptr<const T>()>;

  /// The value under the key, made on first use or when the earlier one is gone. Equal keys mean equal values: a key
  /// names the packing (and with it T), its layout, and the content (content_key).
  template <typename T>
  std::shared_ptr<const T> find_or_make(const std::string& key, const Maker<T>& make) {
    return std::static_pointer_cast<const T>(find_or_make_any(key, [&] { return make(); }));
  }

  /// Number of values that are alive.
  std::size_t live() const;

 private:
  struct Entry {
    std::mutex making;
    std::weak_ptr<const void> value;
  };

  std::shared_ptr<const void> find_or_make_any(const std::string& key, const Maker<void>& make);
  std::shared_ptr<Entry> entry(const std::string& key);

  mutable std::mutex mutex_;  ///< guards entries_ and the time of the next sweep
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::size_t sweep_at_ = 64;
};

/// The store that all sessions of the process share.
WeightStore& shared_weights();

/// SHA-256 over element type and bytes, in hex: which values these are, wherever they lie.
std::string content_key(const Tensor& tensor);

}  // namespace cleave::exec
