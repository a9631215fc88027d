#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// Scores of shape N, C, rest...: element (n, c, i) stands at (n * classes + c) * inner + i.
struct ClassView {
  std::int64_t batch = 0;
  std::int64_t classes = 0;
  std::int64_t inner = 1;

  std::int64_t places() const { return batch * inner; }
  /// Of class c at place n * inner + i.
  std::int64_t offset(std::int64_t place, std::int64_t c) const {
    return (place / inner * classes + c) * inner + place % inner;
  }
};

ClassView class_view(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  Shape target = shape;
  if (shape.size() >= 2) target.erase(target.begin() + 1);
  if (shape.size() < 2 || call.in(1).shape != target) throw bad_value(call, "one class per place is needed");
  return {shape[0], shape[1], element_count(Shape(shape.begin() + 2, shape.end()))};
}

template <typename T>
std::vector<T> log_softmax(const T* x, const ClassView& view) {
  std::vector<T> result(static_cast<std::size_t>(view.places() * view.classes));
  for (std::int64_t place = 0; place < view.places(); ++place) {
    T peak = std::numeric_limits<T>::lowest();
    for (std::int64_t c = 0; c < view.classes; ++c) peak = std::max(peak, x[view.offset(place, c)]);
    double sum = 0;
    for (std::int64_t c = 0; c < view.classes; ++c) {
      sum += std::exp(static_cast<double>(x[view.offset(place, c)]) - static_cast<double>(peak));
    }
    for (std::int64_t c = 0; c < view.classes; ++c) {
      const auto at = static_cast<std::size_t>(view.offset(place, c));
      result[at] = static_cast<T>(static_cast<double>(x[at]) - static_cast<double>(peak) - std::log(sum));
    }
  }
  return result;
}

/// loss = -weight[class] * log_probability[class]; 0 where the class is ignore_index. Reduced by a sum, or by a mean
/// weighted alike.
template <typename T>
void write_loss(const KernelCall& call, const ClassView& view, const T* log_probability) {
  const std::string reduction = call.node.text("reduction", "mean");
  require_shape(call, reduction == "none" ? call.in(1).shape : Shape{});
  const InputView& weights = call.in(2);
  if (weights.present() && weights.elements() != view.classes) throw bad_value(call, "one weight per class is needed");
  std::optional<std::int64_t> ignored;
  if (call.node.has("ignore_index")) ignored = call.node.integer("ignore_index", 0);
  const auto classes = integers_of(call.in(1));
  double loss_sum = 0;
  double weight_sum = 0;
  for (std::int64_t place = 0; place < view.places(); ++place) {
    const std::int64_t c = classes[static_cast<std::size_t>(place)];
    double weight = 0;
    double loss = 0;
    if (c != ignored) {
      if (c < 0 || c >= view.classes) throw bad_value(call, "class " + std::to_string(c) + " does not exist");
      weight = weights.present() ? static_cast<double>(weights.as<T>()[c]) : 1;
      loss = -weight * static_cast<double>(log_probability[view.offset(place, c)]);
    }
    if (reduction == "none") call.out().as<T>()[place] = static_cast<T>(loss);
    loss_sum += loss;
    weight_sum += weight;
  }
  if (reduction == "none") return;
  *call.out().as<T>() = static_cast<T>(reduction == "mean" ? loss_sum / weight_sum : loss_sum);
}

}  // namespace

void negative_log_likelihood_loss(const KernelCall& call) {
  const ClassView view = class_view(call);
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    write_loss(call, view, call.in(0).as<T>());
  });
}

void softmax_cross_entropy_loss(const KernelCall& call) {
  const ClassView view = class_view(call);
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::vector<T> log_probability = log_softmax(call.in(0).as<T>(), view);
    write_loss(call, view, log_probability.data());
    if (call.outputs.size() < 2 || !call.out(1).present()) return;
    require_shape(call, call.in(0).shape, 1);
    std::copy(log_probability.begin(), log_probability.end(), call.out(1).as<T>());
  });
}

}  // namespace cleave::exec::reference
