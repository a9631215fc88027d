#include "graph/einsum_equation.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace cleave::graph {
namespace {

constexpr std::size_t kMostHidden = 10;  // dimensions behind "...": one digit each

Error misfit(const std::string& text, const std::string& why) {
  return Error(ErrorKind::kInvalidInput, "equation '" + text + "': " + why);
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::size_t named_dimensions(const std::string& term) {
  return term.find("...") == std::string::npos ? term.size() : term.size() - 3;
}

/// "..." written out for `hidden` dimensions.
std::string spelled_out(const std::string& term, std::size_t hidden) {
  const std::size_t dots = term.find("...");
  if (dots == std::string::npos) return term;
  std::string digits;
  for (std::size_t i = hidden; i-- > 0;) digits += static_cast<char>('0' + i);
  return term.substr(0, dots) + digits + term.substr(dots + 3);
}

std::string implied_output(const std::vector<std::string>& inputs) {
  std::map<char, int> counts;
  for (const std::string& term : inputs) {
    for (const char c : term) ++counts[c];
  }
  std::string digits;
  std::string letters;
  for (const auto& [letter, count] : counts) {
    if (letter <= '9') digits.insert(digits.begin(), letter);
    if (letter > '9' && count == 1) letters += letter;
  }
  return digits + letters;
}

}  // namespace

EinsumEquation parse_einsum(const std::string& text, const std::vector<std::size_t>& ranks) {
  const std::string dense = without_blanks(text);
  const std::size_t arrow = dense.find("->");
  EinsumEquation equation{split_text(dense.substr(0, arrow), ','), {}};
  if (equation.inputs.size() != ranks.size()) throw misfit(text, std::to_string(ranks.size()) + " operands are given");
  std::size_t most_hidden = 0;
  for (std::size_t k = 0; k < ranks.size(); ++k) {
    std::string& term = equation.inputs[k];
    const std::size_t named = named_dimensions(term);
    const bool open = named != term.size();
    if (named > ranks[k] || (!open && named < ranks[k]) || ranks[k] - named > kMostHidden) {
      throw misfit(text, "operand " + std::to_string(k + 1) + " has rank " + std::to_string(ranks[k]));
    }
    most_hidden = std::max(most_hidden, ranks[k] - named);
    term = spelled_out(term, ranks[k] - named);
  }
  equation.output =
      arrow == std::string::npos ? implied_output(equation.inputs) : spelled_out(dense.substr(arrow + 2), most_hidden);
  return equation;
}

std::map<char, std::int64_t> einsum_sizes(const EinsumEquation& equation, const std::vector<Shape>& shapes) {
  std::map<char, std::int64_t> sizes;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    for (std::size_t d = 0; d < shapes[k].size(); ++d) {
      std::int64_t& size = sizes.try_emplace(equation.inputs[k][d], 1).first->second;
      if (size != 1 && shapes[k][d] != 1 && size != shapes[k][d]) {
        throw misfit(equation.inputs[k], "its sizes do not fit the other operands'");
      }
      if (size == 1) size = shapes[k][d];
    }
  }
  for (const char letter : equation.output) {
    if (!sizes.contains(letter)) throw misfit(equation.output, "no operand has this index");
  }
  return sizes;
}

Shape einsum_shape(const EinsumEquation& equation, const std::map<char, std::int64_t>& sizes) {
  Shape shape;
  for (const char letter : equation.output) shape.push_back(sizes.at(letter));
  return shape;
}

}  // namespace cleave::graph
