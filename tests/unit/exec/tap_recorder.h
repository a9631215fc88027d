#pragma once

#include <utility>
#include <vector>

#include "core/tensor.h"
#include "exec/session.h"

namespace cleave::exec::testing {

/// Copies every tapped activation into a plain tensor, in order of arrival.
class TapRecorder : public ActivationObserver {
 public:
  void observe(const ActivationView& activation) override;

  const std::vector<graph::TensorId>& order() const { return order_; }
  const std::vector<Tensor>& values() const { return values_; }
  /// The recorded value; fails the test and returns an empty tensor unless it came exactly once.
  Tensor value(graph::TensorId id) const;

 private:
  std::vector<graph::TensorId> order_;
  std::vector<Tensor> values_;
};

}  // namespace cleave::exec::testing
