#include <map>
#include <string>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// One letter per dimension. The dimensions behind "..." get letters of their own: '0' for the last, '1' before it, ...
struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

std::string without_blanks(const std::string& text) {
  std::string dense;
  for (const char c : text) {
    if (c != ' ') dense += c;
  }
  return dense;
}

/// "..." written out for `extra` dimensions.
std::string spelled_out(const std::string& term, std::size_t extra) {
  const std::size_t dots = term.find("...");
  if (dots == std::string::npos) return term;
  std::string letters;
  for (std::size_t i = extra; i-- > 0;) letters += static_cast<char>('0' + i);
  return term.substr(0, dots) + letters + term.substr(dots + 3);
}

std::vector<std::string> terms_of(const std::string& text) {
  std::vector<std::string> terms(1);
  for (const char c : text) {
    if (c == ',') {
      terms.emplace_back();
    } else {
      terms.back() += c;
    }
  }
  return terms;
}

/// Without "->" the output has, after the dimensions behind "...", every letter that occurs once, in their order.
std::string implied_output(const std::vector<std::string>& inputs) {
  std::map<char, int> counts;
  for (const std::string& term : inputs) {
    for (const char c : term) ++counts[c];
  }
  std::string digits;
  std::string letters;
  for (const auto& [letter, count] : counts) {
    if (letter >= '0' && letter <= '9') digits.insert(digits.begin(), letter);
    if (letter > '9' && count == 1) letters += letter;
  }
  return digits + letters;
}

Equation parse(const KernelCall& call) {
  const std::string text = without_blanks(call.node.text("equation", ""));
  const std::size_t arrow = text.find("->");
  Equation equation{terms_of(text.substr(0, arrow)), {}};
  if (equation.inputs.size() != call.inputs.size()) throw bad_value(call, "equation '" + text + "' has other operands");
  std::size_t most = 0;
  for (std::size_t k = 0; k < call.inputs.size(); ++k) {
    std::string& term = equation.inputs[k];
    const std::size_t rank = call.in(k).shape.size();
    const std::size_t named = term.find("...") == std::string::npos ? term.size() : term.size() - 3;
    if (named > rank || (named == term.size() && named != rank) || rank - named > 10) {
      throw bad_value(call, "operand " + std::to_string(k + 1) + " of equation '" + text + "' has another rank");
    }
    most = std::max(most, rank - named);
    term = spelled_out(term, rank - named);
  }
  equation.output =
      arrow == std::string::npos ? implied_output(equation.inputs) : spelled_out(text.substr(arrow + 2), most);
  return equation;
}

std::map<char, std::int64_t> sizes_of(const KernelCall& call, const Equation& equation) {
  std::map<char, std::int64_t> sizes;
  for (std::size_t k = 0; k < call.inputs.size(); ++k) {
    for (std::size_t d = 0; d < equation.inputs[k].size(); ++d) {
      const std::int64_t dim = call.in(k).shape[d];
      std::int64_t& size = sizes.try_emplace(equation.inputs[k][d], 1).first->second;
      if (size != dim && size != 1 && dim != 1) throw bad_value(call, "its operands' sizes do not fit each other");
      if (dim != 1) size = dim;
    }
  }
  return sizes;
}

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
  Contraction(const KernelCall& call, const Equation& equation, const std::map<char, std::int64_t>& sizes)
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
  const Equation equation = parse(call);
  const auto sizes = sizes_of(call, equation);
  Shape shape;
  for (const char letter : equation.output) {
    if (!sizes.contains(letter)) throw bad_value(call, "the output has an index that no operand has");
    shape.push_back(sizes.at(letter));
  }
  require_shape(call, shape);
  dispatch_number(call.out().dtype,
                  [&](auto tag) { Contraction<typename decltype(tag)::type>(call, equation, sizes).run(); });
}

}  // namespace cleave::exec::reference
