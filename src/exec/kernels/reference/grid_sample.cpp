#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

enum class Padding { kZeros, kBorder, kReflection };

struct Sampling {
  std::string mode;  ///< nearest, linear or cubic
  Padding padding = Padding::kZeros;
  bool align_corners = false;
};

Sampling sampling_of(const graph::Node& node) {
  const std::string mode = node.text("mode", "linear");
  const std::string padding = node.text("padding_mode", "zeros");
  Sampling s;
  s.mode = mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode;  // opset 16's words
  s.padding = padding == "border" ? Padding::kBorder : padding == "reflection" ? Padding::kReflection : Padding::kZeros;
  s.align_corners = node.integer("align_corners", 0) != 0;
  return s;
}

/// -1 and 1 are the centers of the outer pixels (align_corners) or their outer edges.
template <typename T>
T denormalized(const Sampling& s, T n, std::int64_t dim) {
  const auto size = static_cast<T>(dim);
  return s.align_corners ? (n + 1) / 2 * (size - 1) : ((n + 1) * size - 1) / 2;
}

/// Mirrored at low and high until within.
template <typename T>
T reflected(T x, T low, T high) {
  const T range = high - low;
  if (!(range > 0)) return low;
  const bool below = x < low;
  const T distance = below ? low - x : x - high;
  if (!below && !(distance > 0)) return x;
  const auto turns = std::floor(distance / range);
  const T rest = distance - turns * range;
  const bool even = std::fmod(turns, T(2)) == 0;
  if (below) return even ? low + rest : high - rest;
  return even ? high - rest : low + rest;
}

/// The pixel that position i stands for, or -1 for the value 0.
template <typename T>
std::int64_t pixel_at(const Sampling& s, std::int64_t i, std::int64_t dim) {
  if (i >= 0 && i < dim) return i;
  if (s.padding == Padding::kZeros) return -1;
  if (s.padding == Padding::kBorder) return std::clamp<std::int64_t>(i, 0, dim - 1);
  const T low = s.align_corners ? T(0) : T(-0.5);
  const T high = static_cast<T>(dim - 1) - low;
  const T mirrored = reflected(static_cast<T>(i), low, high);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(mirrored), 0, dim - 1);
}

/// Pixels of one axis that make up a sample, and their weights.
template <typename T>
struct Taps {
  std::array<std::int64_t, 4> pixel{};
  std::array<T, 4> weight{};
  std::size_t count = 0;

  void add(std::int64_t at, T w) {
    pixel[count] = at;
    weight[count++] = w;
  }
};

/// Keys' cubic convolution kernel with a = -0.75.
template <typename T>
T cubic_weight(T distance) {
  const T a = T(-0.75);
  const T t = std::abs(distance);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
}

/// A position far outside is as good as one just outside: keeps what follows within 64-bit integers. NaN counts as -1.
template <typename T>
T bounded(T x) {
  constexpr T kFar = T(1e9);
  return x >= -kFar && x <= kFar ? x : (x > kFar ? kFar : (x < -kFar ? -kFar : T(-1)));
}

template <typename T>
Taps<T> taps_of(const Sampling& s, T normalized, std::int64_t dim) {
  T x = bounded(denormalized(s, normalized, dim));
  // The sample's own position comes into the picture first, as in ONNX Runtime; cubic samples leave the border to
  // their pixels.
  if (s.mode == "nearest") x = std::nearbyint(x);
  const T low = s.align_corners ? T(0) : T(-0.5);
  const T high = static_cast<T>(dim - 1) - low;
  if (s.padding == Padding::kBorder && s.mode != "cubic") x = std::clamp(x, T(0), static_cast<T>(dim - 1));
  if (s.padding == Padding::kReflection) x = reflected(x, low, high);
  Taps<T> taps;
  if (s.mode == "nearest") {
    taps.add(pixel_at<T>(s, static_cast<std::int64_t>(x), dim), T(1));
    return taps;
  }
  const T base = std::floor(x);
  const auto first = static_cast<std::int64_t>(base);
  const T rest = x - base;
  if (s.mode == "linear") {
    taps.add(pixel_at<T>(s, first, dim), 1 - rest);
    taps.add(pixel_at<T>(s, first + 1, dim), rest);
    return taps;
  }
  for (int t = -1; t <= 2; ++t) {
    taps.add(pixel_at<T>(s, first + t, dim), cubic_weight(rest - static_cast<T>(t)));
  }
  return taps;
}

/// Weighted sum over the taps of all axes, outermost axis first.
template <typename T>
T sample(const T* plane, const Shape& spatial, const std::vector<Taps<T>>& taps, std::size_t axis) {
  if (axis == taps.size()) return *plane;
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < spatial.size(); ++i) inner *= spatial[i];
  T sum = 0;
  for (std::size_t t = 0; t < taps[axis].count; ++t) {
    if (taps[axis].pixel[t] < 0) continue;
    sum += taps[axis].weight[t] * sample(plane + taps[axis].pixel[t] * inner, spatial, taps, axis + 1);
  }
  return sum;
}

template <typename T>
void grid_sample_typed(const KernelCall& call) {
  const Sampling s = sampling_of(call.node);
  const Shape& in = call.in(0).shape;
  const Shape spatial(in.begin() + 2, in.end());
  const std::size_t axes = spatial.size();
  const std::int64_t plane = element_count(spatial);
  const std::int64_t places = call.out().elements() / std::max<std::int64_t>(in[0] * in[1], 1);
  std::vector<Taps<T>> taps(axes);
  for (std::int64_t n = 0; n < in[0]; ++n) {
    for (std::int64_t p = 0; p < places; ++p) {
      // The grid names the innermost axis first.
      const T* position = call.in(1).as<T>() + (n * places + p) * static_cast<std::int64_t>(axes);
      for (std::size_t i = 0; i < axes; ++i) taps[i] = taps_of(s, position[axes - 1 - i], spatial[i]);
      for (std::int64_t c = 0; c < in[1]; ++c) {
        call.out().as<T>()[(n * in[1] + c) * places + p] =
            sample(call.in(0).as<T>() + (n * in[1] + c) * plane, spatial, taps, 0);
      }
    }
  }
}

}  // namespace

void grid_sample(const KernelCall& call) {
  dispatch<float, double>(call.out().dtype, [&](auto tag) { grid_sample_typed<typename decltype(tag)::type>(call); });
}

}  // namespace cleave::exec::reference
