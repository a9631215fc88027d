#include <cstring>

#include "exec/kernels/fast/winograd_step.h"
#include "exec/weight_store.h"

namespace cleave::exec::fast {
namespace {

/// G g G^T of one 3x3 filter: row i of G is (1, p, p^2) / prod_{j != i} (p_i - p_j), that of infinity (0, 0, 1).
std::array<double, kWinogradPositions> transformed_filter(const float* g) {
  constexpr double kA2 = 0.5;  // squares of the points
  constexpr double kB2 = 2.0;
  const double a = simd::kWinogradNear;
  const double b = simd::kWinogradFar;
  const double na = 2 * kA2 * (kA2 - kB2);
  const double nb = 2 * kB2 * (kB2 - kA2);
  const double matrix[kWinogradPatch][3] = {{1 / (kA2 * kB2), 0, 0},     {1 / na, a / na, kA2 / na},
                                            {1 / na, -a / na, kA2 / na}, {1 / nb, b / nb, kB2 / nb},
                                            {1 / nb, -b / nb, kB2 / nb}, {0, 0, 1}};
  std::array<double, kWinogradPositions> result{};
  for (std::size_t y = 0; y < kWinogradPatch; ++y) {
    for (std::size_t x = 0; x < kWinogradPatch; ++x) {
      double sum = 0;
      for (std::size_t i = 0; i < 9; ++i) sum += matrix[y][i / 3] * matrix[x][i % 3] * static_cast<double>(g[i]);
      result[y * kWinogradPatch + x] = sum;
    }
  }
  return result;
}

/// Transformed filters, one packed matrix [in][out] per position (simd::ProductKernels).
void pack_filters(const WinogradProblem& p, const float* filters, float* packed) {
  const std::int64_t panel = 2 * simd::kernels().product.lanes;
  std::memset(packed, 0, static_cast<std::size_t>(p.weights()) * sizeof(float));
  for (std::int64_t k = 0; k < p.out_channels; ++k) {
    const std::int64_t start = k / panel * panel;
    const std::int64_t width = std::min(panel, p.padded - start);
    for (std::int64_t c = 0; c < p.in_channels; ++c) {
      const auto values = transformed_filter(filters + (k * p.in_channels + c) * 9);
      float* to = packed + start * p.in_channels + c * width + (k - start);
      for (const double value : values) {
        *to = static_cast<float>(value);
        to += p.in_channels * p.padded;
      }
    }
  }
}

}  // namespace

std::shared_ptr<const Tensor> winograd_filters(const WinogradProblem& p, const Tensor& filters) {
  const std::string key = "winograd_4x3 " + std::to_string(p.in_channels) + " " + std::to_string(p.padded) + " ";
  return shared_weights().find_or_make(key + content_key(filters), WeightStore::Maker<Tensor>([&] {
                                         auto packed = std::make_shared<Tensor>(DType::kFloat32, Shape{p.weights()});
                                         pack_filters(p, filters.data<float>().data(),
                                                      packed->mutable_data<float>().data());
                                         return packed;
                                       }));
}

}  // namespace cleave::exec::fast
