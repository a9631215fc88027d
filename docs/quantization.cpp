// The derivation of quantization.md in numbers: a small convolution, quantized and run on integers. Prints what the
// page quotes, checks each claim, exits with the number of those that fail. Standard library only.
#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr int kIn = 8, kOut = 16, kSide = 12, kTaps = kIn * 9;  // 3x3 windows, stride 1, padding 1, ReLU behind
using Window = std::array<double, kTaps>;

std::vector<Window> windows;       // the inputs under each output pixel; padding is 0
std::array<Window, kOut> weights;  // of each output channel
std::array<double, kOut> biases;
int failures = 0;

void claim(bool holds, const char* what) {
  std::printf("%s %s\n", holds ? "  ok:" : "FAILED:", what);
  failures += holds ? 0 : 1;
}

double bell() {  // mean 0, variance 1, the same numbers everywhere
  static std::uint32_t state = 1;
  double sum = -3;
  for (int i = 0; i < 3; ++i) sum += static_cast<double>((state = state * 1664525U + 1013904223U) >> 8U) / 8388608.0;
  return sum;
}

void make_layer() {
  std::vector<double> image(kIn * kSide * kSide);
  for (double& v : image) v = bell() > 0 ? 0.8 * std::fabs(bell()) : 0.1 * bell();
  for (int row = 0; row < kSide; ++row) {
    for (int column = 0; column < kSide; ++column) {
      Window& window = windows.emplace_back();
      for (int tap = 0; tap < kTaps; ++tap) {
        const int y = row + tap % 9 / 3 - 1, x = column + tap % 3 - 1;
        const bool inside = y >= 0 && x >= 0 && y < kSide && x < kSide;
        window[tap] = inside ? image[(tap / 9 * kSide + y) * kSide + x] : 0;
      }
    }
  }
  for (int c = 0; c < kOut; ++c) {
    for (double& w : weights[c]) w = bell() * 0.1 * std::exp2(-(c % 8) / 2.0);
    biases[c] = bell() * 0.2;
  }
}

/// code(x) = clamp(rne(x / s) + z, lo, hi), value(code) = (code - z) s.
struct Grid {
  double s;
  std::int64_t z, lo, hi;
  std::int64_t code(double x) const { return std::clamp<std::int64_t>(std::llrint(x / s) + z, lo, hi); }
  double value(std::int64_t q) const { return static_cast<double>(q - z) * s; }
  double error(double x) const { return value(code(x)) - x; }
};

Grid affine(double lo, double hi, int bits) {
  const double s = (hi - lo) / ((1 << bits) - 1);
  return {s, std::llrint(-lo / s), 0, (1 << bits) - 1};
}

double square_error(const Window& w, const Grid& grid) {
  double sum = 0;
  for (const double x : w) sum += grid.error(x) * grid.error(x);
  return sum;
}

/// Zero point 0, the step of least squared error among 2000.
Grid symmetric(const Window& w, int bits, bool full) {
  const std::int64_t top = (1 << (bits - 1)) - 1;
  double largest = 0;
  for (const double x : w) largest = std::max(largest, std::fabs(x) / static_cast<double>(top));
  Grid best{largest, 0, full ? -top - 1 : -top, top};
  for (int k = 1000; k < 3000; ++k) {
    const Grid tried{largest * k / 3000, 0, best.lo, best.hi};
    if (square_error(w, tried) < square_error(w, best)) best = tried;
  }
  return best;
}

struct Layer {
  Grid x, y;
  std::vector<Grid> w;
  double unit(int c) const { return x.s * w[c].s; }
  std::int64_t bias(int c) const { return std::llrint(biases[c] / unit(c)); }
  std::int64_t sum(int c, const Window& v) const {
    std::int64_t sum = bias(c);
    for (int k = 0; k < kTaps; ++k) sum += w[c].code(weights[c][k]) * (x.code(v[k]) - x.z);
    return sum;
  }
};

double float_sum(int c, const Window& v) {
  double sum = biases[c];
  for (int k = 0; k < kTaps; ++k) sum += weights[c][k] * v[k];
  return sum;
}

template <typename F>
void each_output(const F& f) {
  for (int c = 0; c < kOut; ++c) {
    for (const Window& v : windows) f(c, v);
  }
}

Layer quantized(int weight_bits, int activation_bits) {
  double lo = 0, hi = 0, top = 0;
  each_output([&](int c, const Window& v) {
    lo = std::min(lo, *std::min_element(v.begin(), v.end()));
    hi = std::max(hi, *std::max_element(v.begin(), v.end()));
    top = std::max(top, float_sum(c, v));
  });
  Layer layer{affine(lo, hi, activation_bits), affine(0, top, activation_bits), {}};
  for (const Window& w : weights) layer.w.push_back(symmetric(w, weight_bits, weight_bits < 8));
  return layer;
}

void grid_of_inputs(const Layer& layer) {
  const Grid& x = layer.x;
  double worst = 0, lo = 0, corner = 0, even = 0, up = 0;
  each_output([&](int, const Window& v) {
    for (const double a : v) worst = std::max(worst, std::fabs(x.error(a)) / x.s), lo = std::min(lo, a);
  });
  const double missed = static_cast<double>(x.z) * x.s + lo;  // what stands for 0 on a grid that begins at lo exactly
  for (const Window& w : weights) {
    double padded = 0;  // the five taps outside, at the upper left corner
    for (int tap = 0; tap < kTaps; ++tap) padded += tap % 9 < 3 || tap % 3 == 0 ? w[tap] : 0;
    corner = std::max(corner, std::fabs(missed * padded));
  }
  for (int a = 0; a < 4096; ++a) {
    even += (std::nearbyint(a / 2.0) - a / 2.0) / 4096;
    up += (std::floor(a / 2.0 + 0.5) - a / 2.0) / 4096;
  }
  std::printf("s_x = %.5f, z_x = %d; largest error %.3f s_x\n", x.s, static_cast<int>(x.z), worst);
  std::printf("a grid from min x on has %.3f s_x for zero: %.2f s_y at a corner\n", missed / x.s, corner / layer.y.s);
  claim(x.error(0) == 0 && worst < 0.5 + 1e-9, "zero is exact, every other value within s_x / 2");
  std::printf("mean error of a / 2, a = 0..4095: %.2f rounded half to even, %.2f half up\n", even, up);
  claim(even == 0 && up == 0.25, "half to even has no mean error");
}

void grids_of_weights() {
  double gain[9] = {}, power = 0;
  for (const Window& w : weights) power += square_error(w, {1e30, 0, 0, 0});
  std::printf("\nbits      2      3      4      6      8   (SQNR of the weights, dB)\n");
  for (const bool full : {false, true}) {
    std::printf(full ? "full  " : "narrow");
    for (const int bits : {2, 3, 4, 6, 8}) {
      double error = 0;
      for (const Window& w : weights) error += square_error(w, symmetric(w, bits, full));
      gain[bits] = 10 * std::log10(power / error) - gain[bits];
      std::printf(" %6.2f", 10 * std::log10(power / error));
    }
    std::printf("\n");
  }
  claim(gain[2] > gain[4] && gain[4] > gain[8], "the fewer bits, the more the code -2^(n_w-1) is worth");
  claim(2 * 127 * 127 < 1 << 15 && 2 * 128 * 128 >= 1 << 15, "two products of int8 fit int16 on the narrow grid only");
}

void sums(const Layer& layer) {
  constexpr std::int64_t kZ = 3;  // a zero point of the weights other than 0
  std::int64_t largest = 0;
  bool equal = true;
  each_output([&](int c, const Window& v) {
    std::int64_t products = 0, moved = 0, of_w = 0, of_x = 0;
    for (int k = 0; k < kTaps; ++k) {
      const std::int64_t q = layer.w[c].code(weights[c][k]), x = layer.x.code(v[k]);
      products += q * x, moved += (q + kZ) * x, of_w += q, of_x += x;
    }
    const std::int64_t sum = layer.sum(c, v) - layer.bias(c), z = layer.x.z;
    largest = std::max(largest, std::abs(sum));
    equal = equal && sum == products - z * of_w && sum == moved - z * (of_w + kTaps * kZ) - kZ * of_x + kTaps * kZ * z;
  });
  std::printf("\nlargest |sum| %d, bound %d (72 terms)\n", static_cast<int>(largest), kTaps * 255 * 127);
  claim(equal, "the two and the four terms give the same sums, padding included");
  claim(largest <= kTaps * 255 * 127, "no sum exceeds K (2^n_x - 1) max|q_w|");
  std::printf("terms that int32 holds: W8A8 %d, W6A8 %d, W4A8 %d, W4A4 %d; exact in float32: W8A8 %d, W4A4 %d\n",
              INT_MAX / (255 * 127), INT_MAX / (255 * 32), INT_MAX / (255 * 8), INT_MAX / (15 * 8),
              (1 << 24) / (255 * 127), (1 << 24) / (15 * 8));
  claim(2 * 255 * 64 <= SHRT_MAX && 2 * 255 * 65 > SHRT_MAX, "pairs of u8 x s8 fit int16 up to |q_w| = 64");
}

/// Steps s_w for which s_y / (s_x s_w) = odd / 2^m.
Layer settled(Layer layer) {
  for (int c = 0; c < kOut; ++c) {
    const double r = layer.y.s / layer.unit(c);
    const int m = std::max(0, static_cast<int>(std::ceil(std::log2(512 / r))));
    layer.w[c].s = std::ldexp(layer.y.s, m) / (layer.x.s * (std::floor((std::ldexp(r, m) - 1) / 2) * 2 + 1));
  }
  return layer;
}

void requantization(const char* scales, const Layer& layer, bool is_settled) {
  int differing = 0, changed_by_relu = 0;
  double nearest = 1, promised = 1, largest_factor = 0;
  each_output([&](int c, const Window& v) {
    double y = layer.unit(c) * static_cast<double>(layer.bias(c));
    for (int k = 0; k < kTaps; ++k) {
      y += (weights[c][k] + layer.w[c].error(weights[c][k])) * (v[k] + layer.x.error(v[k]));
    }
    const auto factor = static_cast<float>(layer.unit(c) / layer.y.s);
    const float scaled = factor * static_cast<float>(layer.sum(c, v));
    const auto code = std::clamp<std::int64_t>(std::llrint(scaled) + layer.y.z, layer.y.lo, layer.y.hi);
    differing += code == layer.y.code(std::max(y, 0.0)) ? 0 : 1;
    changed_by_relu += layer.y.code(y) == layer.y.code(std::max(y, 0.0)) ? 0 : 1;
    const double position = y / layer.y.s;
    nearest = std::min(nearest, std::fabs(position - std::floor(position) - 0.5));
    promised = std::min({promised, layer.unit(c) / layer.y.s / 2, 1.0 / 2048});
    largest_factor = std::max(largest_factor, static_cast<double>(factor));
  });
  std::printf("\n%s: largest M %.5f, nearest boundary %.6f s_y away, %d codes differ\n", scales, largest_factor,
              nearest, differing);
  claim(changed_by_relu == 0, "saturation at z_y = 0 is the ReLU");
  if (!is_settled) return;
  claim(nearest > promised * 0.999, "no sum within min(s_x s_w / 2, s_y / 2048) of a boundary");
  claim(differing == 0, "clamp(rne(M A) + z_y) gives the codes of real arithmetic");
}

/// True when the error seen is what the formulas say.
bool losses(int weight_bits, int activation_bits) {
  const Layer layer = quantized(weight_bits, activation_bits);
  double x = 0, w = 0, b = 0, seen = 0, power = 0, count = 0;
  each_output([&](int c, const Window& v) {
    for (int k = 0; k < kTaps; ++k) {
      if (v[k] != 0) x += std::pow(layer.x.s * weights[c][k], 2) / 12;
      w += std::pow(layer.w[c].error(weights[c][k]) * v[k], 2);
    }
    const double y = float_sum(c, v);
    b += std::pow(layer.unit(c), 2) / 12;
    seen += std::pow(layer.unit(c) * static_cast<double>(layer.sum(c, v)) - y, 2);
    power += y * y, count += 1;
  });
  std::printf("W%dA%d  %8.1e  %8.1e  %8.1e  %8.1e  %8.1e  %8.2f\n", weight_bits, activation_bits, x / power, w / power,
              b / power, layer.y.s * layer.y.s / 12 * count / power, seen / power, seen / (x + w + b));
  return seen > 0.8 * (x + w + b) && seen < 1.25 * (x + w + b);
}

}  // namespace

int main() {
  make_layer();
  const Layer layer = quantized(8, 8);
  grid_of_inputs(layer);
  grids_of_weights();
  sums(layer);
  requantization("scales as chosen", layer, false);
  requantization("scales settled", settled(layer), true);
  std::printf("\n         inputs   weights      bias    result      seen  seen / (inputs + weights + bias)\n");
  bool as_predicted = losses(4, 4);
  for (const int bits : {4, 6, 8}) as_predicted = losses(bits, 8) && as_predicted;
  claim(as_predicted, "the errors are those of the formulas, within 25 %");
  return failures;
}
