#pragma once

/// The first lanes of a vector where the CPU has no masked access: through a buffer of one vector.

namespace cleave::exec::simd {
namespace {

struct Part {
  int count;
};

template <typename T>
inline auto load(const T* p, Part part) {
  T lanes[kLanes] = {};
  for (int i = 0; i < part.count; ++i) lanes[i] = p[i];
  return load(static_cast<const T*>(lanes), Full{});
}

template <typename T, typename Vector>
inline void store(T* p, Vector v, Part part) {
  T lanes[kLanes];
  store(lanes, v, Full{});
  for (int i = 0; i < part.count; ++i) p[i] = lanes[i];
}

}  // namespace
}  // namespace cleave::exec::simd
