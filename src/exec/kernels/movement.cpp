#include "exec/kernels/movement.h"

#include <cstring>
#include <span>

#include "core/check.h"
#include "exec/kernels/dim_list.h"
#include "exec/kernels/pieces.h"
#include "exec/kernels/walk.h"

namespace cleave::exec {
namespace {

template <std::size_t Bytes>
void copy_typed(std::span<const std::int64_t> shape, std::byte* target, std::span<const std::int64_t> target_strides,
                const std::byte* source, std::span<const std::int64_t> source_strides) {
  constexpr auto kBytes = static_cast<std::int64_t>(Bytes);
  walk_rows<2>(shape, {target_strides, source_strides}, [&](const auto& offset, std::int64_t count, const auto& step) {
    std::byte* to = target + offset[0] * kBytes;
    const std::byte* from = source + offset[1] * kBytes;
    if (step[0] == 1 && step[1] == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(count) * Bytes);
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      std::memcpy(to + i * step[0] * kBytes, from + i * step[1] * kBytes, Bytes);
    }
  });
}

/// The axis that lies outermost in the target, or 0.
std::size_t outermost_axis(std::span<const std::int64_t> shape, std::span<const std::int64_t> target_strides) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (shape[i] > 1 && (shape[best] == 1 || target_strides[i] > target_strides[best])) best = i;
  }
  return best;
}

void copy_piece(std::size_t element_bytes, std::span<const std::int64_t> shape, std::byte* target,
                std::span<const std::int64_t> target_strides, const std::byte* source,
                std::span<const std::int64_t> source_strides) {
  switch (element_bytes) {
    case 1:
      return copy_typed<1>(shape, target, target_strides, source, source_strides);
    case 2:
      return copy_typed<2>(shape, target, target_strides, source, source_strides);
    case 4:
      return copy_typed<4>(shape, target, target_strides, source, source_strides);
    case 8:
      return copy_typed<8>(shape, target, target_strides, source, source_strides);
    default:
      CLEAVE_CHECK(false, "element types have 1, 2, 4 or 8 bytes");
  }
}

/// Walks the axes of copy_by_tables, largest output stride outside.
class TableCopy {
 public:
  TableCopy(std::size_t bytes, const InputView& in, const OutputView& out, const AxisTables& tables,
            const std::byte* fill)
      : bytes_(static_cast<std::int64_t>(bytes)),
        in_(in),
        out_(out),
        tables_(tables),
        fill_(fill),
        order_(outermost_first(out.strides)) {}

  void run(std::size_t depth, std::byte* target, const std::byte* source) const {
    if (depth == order_.size()) {
      std::memcpy(target, source == nullptr ? fill_ : source, static_cast<std::size_t>(bytes_));
      return;
    }
    const auto axis = static_cast<std::size_t>(order_[depth]);
    const auto& table = tables_[axis];
    for (std::int64_t i = 0; i < out_.shape[axis];) {
      const std::int64_t run_length = depth + 1 == order_.size() ? contiguous(axis, i) : 1;
      const std::int64_t from = table[static_cast<std::size_t>(i)];
      const std::byte* next = source == nullptr || from < 0 ? nullptr : source + from * in_.strides[axis] * bytes_;
      std::byte* to = target + i * out_.strides[axis] * bytes_;
      if (run_length > 1 && next != nullptr) {
        std::memcpy(to, next, static_cast<std::size_t>(run_length * bytes_));
        i += run_length;
      } else {
        run(depth + 1, to, next);
        ++i;
      }
    }
  }

 private:
  /// Number of neighbours from output index i on that are neighbours in the input too.
  std::int64_t contiguous(std::size_t axis, std::int64_t i) const {
    if (in_.strides[axis] != 1 || out_.strides[axis] != 1) return 1;
    const auto& table = tables_[axis];
    const auto begin = static_cast<std::size_t>(i);
    std::size_t end = begin + 1;
    if (table[begin] < 0) return 1;
    while (end < table.size() && table[end] == table[end - 1] + 1) ++end;
    return static_cast<std::int64_t>(end - begin);
  }

  std::int64_t bytes_;
  const InputView& in_;
  const OutputView& out_;
  const AxisTables& tables_;
  const std::byte* fill_;
  DimList order_;
};

}  // namespace

void strided_copy(std::size_t element_bytes, std::span<const std::int64_t> shape, std::byte* target,
                  std::span<const std::int64_t> target_strides, const std::byte* source,
                  std::span<const std::int64_t> source_strides) {
  std::int64_t elements = 1;
  for (const std::int64_t dim : shape) elements *= dim;
  if (shape.empty() || elements == 0) {
    return copy_piece(element_bytes, shape, target, target_strides, source, source_strides);
  }
  const auto bytes = static_cast<std::int64_t>(element_bytes);
  const std::size_t axis = outermost_axis(shape, target_strides);
  in_pieces(shape[axis], elements / shape[axis] * bytes, [&](std::int64_t begin, std::int64_t count) {
    DimList piece(shape);
    piece[axis] = count;
    copy_piece(element_bytes, piece, target + begin * target_strides[axis] * bytes, target_strides,
               source + begin * source_strides[axis] * bytes, source_strides);
  });
}

void copy_by_tables(std::size_t element_bytes, const InputView& in, const OutputView& out, const AxisTables& tables,
                    const std::byte* fill) {
  if (out.elements() == 0) return;
  TableCopy(element_bytes, in, out, tables, fill).run(0, out.data, in.data);
}

}  // namespace cleave::exec
