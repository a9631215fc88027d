#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "exec/kernels/layout.h"

namespace cleave::exec {

template <std::size_t K>
using Offsets = std::array<std::int64_t, K>;

/// Of K tensors: a list each, as long as the shape. Lists are read during the walk only.
template <std::size_t K>
using WalkStrides = std::array<std::span<const std::int64_t>, K>;

/// What is done with one innermost run: element j of tensor k stands at offsets[k] + j * steps[k], j < count.
/// Refers to the function that it is made from, which must outlive the walk.
template <std::size_t K>
class RowBody {
 public:
  template <typename F>
  requires(!std::same_as<std::remove_cvref_t<F>, RowBody>)
      RowBody(F&& body)  // NOLINT(google-explicit-constructor): made from a lambda where it is passed
      : body_(std::addressof(body)),
        call_([](const void* f, const Offsets<K>& at, std::int64_t n, const Offsets<K>& by) {
          (*static_cast<const std::remove_reference_t<F>*>(f))(at, n, by);
        }) {}

  void operator()(const Offsets<K>& offsets, std::int64_t count, const Offsets<K>& steps) const {
    call_(body_, offsets, count, steps);
  }

 private:
  const void* body_;
  void (*call_)(const void*, const Offsets<K>&, std::int64_t, const Offsets<K>&);
};

/// Walks K tensors of one shape together and calls row for each innermost run; every element is visited once.
/// Dimensions are sorted by the first tensor's strides (largest outside), those of size 1 dropped and neighbours that
/// are contiguous in every tensor merged, so that runs are long. The walk itself is compiled once for each K, 1 to 4.
/// Allocates nothing for up to eight dimensions.
template <std::size_t K>
void walk_rows(std::span<const std::int64_t> shape, const WalkStrides<K>& strides, const RowBody<K>& row);

extern template void walk_rows<1>(std::span<const std::int64_t>, const WalkStrides<1>&, const RowBody<1>&);
extern template void walk_rows<2>(std::span<const std::int64_t>, const WalkStrides<2>&, const RowBody<2>&);
extern template void walk_rows<3>(std::span<const std::int64_t>, const WalkStrides<3>&, const RowBody<3>&);
extern template void walk_rows<4>(std::span<const std::int64_t>, const WalkStrides<4>&, const RowBody<4>&);

}  // namespace cleave::exec
