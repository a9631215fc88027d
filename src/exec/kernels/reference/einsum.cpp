#include <map>
#include <string>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"
#include "graph/einsum_equation.h"

namespace cleave::exec::reference {
namespace {

/// Elements of operand k from one value of each index to the next.
Strides strides_along(const std::string& indices, const std::string& term, const Shape& shape, const Strides& strides) {
  Strides along(indices.size(), 0);
  for (std::size_t d = 0; d < term.size(); ++d) {
    if (shape[d] != 1) along[indices.find(term[d])] += strides[d];
  }
  return along;
}

/// The sum over all indices but the first `kept` of the operands' product.
template <typename T>
class Contraction {
 public:
  Contraction(const KernelCall& call, const graph::EinsumEquation& equation, const std::map<char, std::int64_t>& sizes)
      : call_(call), kept_(equation.output.size()), offsets_(call.inputs.size(), 0) {
    std::string indices = equation.output;
    for (const auto& [letter, size] : sizes) {
      if (indices.find(letter) == std::string::npos) indices += letter;
    }
    for (const char letter : indices) dims_.push_back(sizes.at(letter));
    for (std::size_t k = 0; k < call.inputs.size(); ++k) {
      strides_.push_back(strides_along(indices, equation.inputs[k], call.in(k).shape, call.in(k).strides));
    }
  }

  void run() { outer(0); }

 private:
  void outer(std::size_t depth) {
    if (depth == kept_) {
      call_.out().as<T>()[next_++] = sum(depth);
      return;
    }
    for (std::int64_t i = 0; i < dims_[depth]; ++i) {
      outer(depth + 1);
      move(depth, 1);
    }
    move(depth, -dims_[depth]);
  }

  T sum(std::size_t depth) {
    if (depth == dims_.size()) return product();
    T total = 0;
    for (std::int64_t i = 0; i < dims_[depth]; ++i) {
      total = static_cast<T>(total + sum(depth + 1));
      move(depth, 1);
    }
    move(depth, -dims_[depth]);
    return total;
  }

  T product() const {
    T value = 1;
    for (std::size_t k = 0; k < offsets_.size(); ++k) value = static_cast<T>(value * call_.in(k).as<T>()[offsets_[k]]);
    return value;
  }

  void move(std::size_t depth, std::int64_t steps) {
    for (std::size_t k = 0; k < offsets_.size(); ++k) offsets_[k] += steps * strides_[k][depth];
  }

  const KernelCall& call_;
  std::size_t kept_;
  Shape dims_;
  std::vector<Strides> strides_;
  std::vector<std::int64_t> offsets_;
  std::int64_t next_ = 0;
};

}  // namespace

void einsum(const KernelCall& call) {
  std::vector<Shape> shapes;
  std::vector<std::size_t> ranks;
  for (const InputView& in : call.inputs) {
    shapes.push_back(in.shape);
    ranks.push_back(in.shape.size());
  }
  const graph::EinsumEquation equation = graph::parse_einsum(call.node.text("equation", ""), ranks);
  const auto sizes = graph::einsum_sizes(equation, shapes);
  require_shape(call, graph::einsum_shape(equation, sizes));
  dispatch_number(call.out().dtype,
                  [&](auto tag) { Contraction<typename decltype(tag)::type>(call, equation, sizes).run(); });
}

}  // namespace cleave::exec::reference
