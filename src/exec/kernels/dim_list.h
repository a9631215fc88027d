#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cleave::exec {

/// A number per dimension. Up to eight lie in the object itself, so that kernels allocate nothing for tensors of usual
/// rank.
class DimList {
 public:
  DimList() = default;
  explicit DimList(std::size_t count, std::int64_t value = 0) {
    for (std::size_t i = 0; i < count; ++i) push_back(value);
  }
  explicit DimList(std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) push_back(value);
  }

  void push_back(std::int64_t value) {
    if (size_ == kInPlace) more_.assign(few_.begin(), few_.end());
    if (size_ < kInPlace) {
      few_[size_] = value;
    } else {
      more_.push_back(value);
    }
    ++size_;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::int64_t& operator[](std::size_t i) { return begin()[i]; }
  std::int64_t operator[](std::size_t i) const { return begin()[i]; }
  std::int64_t& back() { return begin()[size_ - 1]; }
  std::int64_t back() const { return begin()[size_ - 1]; }
  std::int64_t* begin() { return size_ <= kInPlace ? few_.data() : more_.data(); }
  std::int64_t* end() { return begin() + size_; }
  const std::int64_t* begin() const { return size_ <= kInPlace ? few_.data() : more_.data(); }
  const std::int64_t* end() const { return begin() + size_; }

 private:
  static constexpr std::size_t kInPlace = 8;
  std::array<std::int64_t, kInPlace> few_{};
  std::vector<std::int64_t> more_;  ///< all of them, once there are more than kInPlace
  std::size_t size_ = 0;
};

/// The dimensions by their strides, largest first; those of equal strides stay in order.
inline DimList outermost_first(std::span<const std::int64_t> strides) {
  DimList order;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    order.push_back(static_cast<std::int64_t>(axis));
    for (std::size_t i = axis; i > 0; --i) {
      if (strides[static_cast<std::size_t>(order[i - 1])] >= strides[axis]) break;
      order[i] = order[i - 1];
      order[i - 1] = static_cast<std::int64_t>(axis);
    }
  }
  return order;
}

}  // namespace cleave::exec
