#pragma once

/// The first lanes of a vector where the CPU has no masked access: through a buffer of one vector.

namespace cleave::exec::simd {
namespace {

struct Part {
  int count;
};

/// Up to seven bytes in pieces of four, two and one: what is written byte by byte cannot be loaded whole at once.
inline uint64_t load_bytes(const void* from, int count) {
  const char* p = static_cast<const char*>(from);
  uint32_t four = 0;
  uint16_t two = 0;
  if ((count & 4) != 0) __builtin_memcpy(&four, p, sizeof four);
  if ((count & 2) != 0) __builtin_memcpy(&two, p + (count & 4), sizeof two);
  const uint64_t one = (count & 1) != 0 ? static_cast<uint8_t>(p[count - 1]) : 0;
  return four | static_cast<uint64_t>(two) << (8 * (count & 4)) | one << (8 * (count & 6));
}
inline void store_bytes(void* to, uint64_t bytes, int count) {
  char* p = static_cast<char*>(to);
  const auto four = static_cast<uint32_t>(bytes);
  const auto two = static_cast<uint16_t>(bytes >> (8 * (count & 4)));
  if ((count & 4) != 0) __builtin_memcpy(p, &four, sizeof four);
  if ((count & 2) != 0) __builtin_memcpy(p + (count & 4), &two, sizeof two);
  if ((count & 1) != 0) p[count - 1] = static_cast<char>(bytes >> (8 * (count & 6)));
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
template <typename T>
constexpr bool kInOneWord = sizeof(T) == 1;
#else
template <typename T>
constexpr bool kInOneWord = false;
#endif

template <typename T>
inline auto load(const T* p, Part part) {
  if constexpr (kInOneWord<T>) {
    const uint64_t bytes = load_bytes(p, part.count);
    return load(reinterpret_cast<const T*>(&bytes), Full{});
  } else {
    T lanes[kLanes] = {};
    for (int i = 0; i < part.count; ++i) lanes[i] = p[i];
    return load(static_cast<const T*>(lanes), Full{});
  }
}

template <typename T, typename Vector>
inline void store(T* p, Vector v, Part part) {
  if constexpr (kInOneWord<T>) {
    uint64_t bytes = 0;
    store(reinterpret_cast<T*>(&bytes), v, Full{});
    store_bytes(p, bytes, part.count);
  } else {
    T lanes[kLanes];
    store(lanes, v, Full{});
    for (int i = 0; i < part.count; ++i) p[i] = lanes[i];
  }
}

}  // namespace
}  // namespace cleave::exec::simd
