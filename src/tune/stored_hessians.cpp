#include "tune/stored_hessians.h"

#include <cmath>

#include "core/error.h"
#include "tune/hessian_candidates.h"

namespace cleave::tune {

namespace {

std::size_t triangle(std::int64_t inputs) {
  return static_cast<std::size_t>(inputs * (inputs + 1) / 2);
}

/// Where row r of a triangle begins, less r: entry (r, c) stands at row_begin + c.
std::size_t row_begin(std::int64_t inputs, std::int64_t r) {
  return static_cast<std::size_t>(r * inputs - r * (r + 1) / 2);
}

void add_exactly(std::int64_t value, std::int64_t& sum) {
  if (!__builtin_add_overflow(sum, value, &sum)) return;
  throw Error(ErrorKind::kInvalidInput, "sums of products leave 64 bits: values larger than the table has seen",
              "Calibrate again on this machine, then collect again.");
}

}  // namespace

std::int64_t moments_exponent(double magnitude, std::int64_t columns) {
  constexpr int kMostBits = 61;
  int bits = 0;
  std::frexp(magnitude * magnitude * static_cast<double>(columns), &bits);
  return kMostBits - bits;
}

StoredMoments StoredMoments::empty(const ColumnGeometry& geometry, std::int64_t exponent) {
  StoredMoments moments{geometry.groups, geometry.inputs(), 0, exponent, {}};
  moments.sums.resize(static_cast<std::size_t>(moments.groups) * triangle(moments.inputs));
  return moments;
}

void StoredMoments::add(const ProductTile& tile) {
  std::int64_t* const group = sums.data() + static_cast<std::size_t>(tile.group) * triangle(inputs);
  constexpr double kBeyond = 0x1p62;
  const double scale = std::ldexp(1.0, static_cast<int>(exponent));
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const std::int64_t row = tile.row + r;
    std::int64_t* const begin = group + row_begin(inputs, row);
    for (std::int64_t c = std::max<std::int64_t>(0, row - tile.column); c < tile.columns; ++c) {
      const double scaled = scale * tile.at(r, c);
      add_exactly(std::abs(scaled) < kBeyond ? std::llrint(scaled) : INT64_MAX, begin[tile.column + c]);
    }
  }
}

void StoredMoments::merge(const StoredMoments& other) {
  if (groups != other.groups || inputs != other.inputs || exponent != other.exponent) {
    throw Error(ErrorKind::kStale, "sizes or scales differ");
  }
  for (std::size_t i = 0; i < sums.size(); ++i) add_exactly(other.sums[i], sums[i]);
  add_exactly(other.columns, columns);
}

std::vector<double> StoredMoments::hessian(std::int64_t group) const {
  const std::int64_t* const begin = sums.data() + static_cast<std::size_t>(group) * triangle(inputs);
  const auto n = static_cast<std::size_t>(inputs);
  std::vector<double> matrix(n * n);
  if (columns == 0) return matrix;
  const double factor = std::ldexp(2.0, -static_cast<int>(exponent)) / static_cast<double>(columns);
  for (std::int64_t r = 0; r < inputs; ++r) {
    for (std::int64_t c = r; c < inputs; ++c) {
      const double value = factor * static_cast<double>(begin[row_begin(inputs, r) + static_cast<std::size_t>(c)]);
      matrix[static_cast<std::size_t>(r * inputs + c)] = matrix[static_cast<std::size_t>(c * inputs + r)] = value;
    }
  }
  return matrix;
}

void merge_into(const StoredHessians& other, StoredHessians& target) {
  const bool same = other.graph == target.graph && other.calibration == target.calibration;
  if (!same || other.units.size() != target.units.size()) {
    throw Error(ErrorKind::kStale, "the Hessians were made from another model or calibration table");
  }
  if (target.shards.complete() && other.shards.complete()) {
    throw Error(ErrorKind::kInvalidInput, "both hold all shards: their images would count twice");
  }
  quant::Shards joined = target.shards;
  joined.merge(other.shards);
  for (auto& [name, moments] : target.units) {
    const auto found = other.units.find(name);
    if (found == other.units.end()) throw Error(ErrorKind::kStale, "unit '" + name + "' is in only one of them");
    moments.merge(found->second);
  }
  target.shards = joined;
  add_exactly(other.images, target.images);
}

void round_by_hessians(const graph::Graph& graph, const StoredHessians& hessians, exec::QuantizationSpec& spec,
                       int threads) {
  if (hessians.graph != graph.fingerprint()) {
    throw Error(ErrorKind::kStale, "the Hessians were made from another network", "Collect them for this model.");
  }
  if (!hessians.shards.complete()) {
    throw Error(ErrorKind::kInvalidInput, "the Hessians are of shards " + hessians.shards.text(),
                "Join all of them with cleave merge.");
  }
  for (const graph::Unit& unit : graph.units()) {
    const auto quantizer = spec.weights.find(unit.name);
    const auto moments = hessians.units.find(unit.name);
    if (quantizer == spec.weights.end() || moments == hessians.units.end()) continue;
    const auto geometry = column_geometry(graph, unit);
    const StoredMoments& stored = moments->second;
    if (!geometry || geometry->groups != stored.groups || geometry->inputs() != stored.inputs) {
      throw Error(ErrorKind::kStale, "the Hessian of unit '" + unit.name + "' is of another size");
    }
    if (!quantizer->second.channel_bits.empty()) {
      throw Error(ErrorKind::kUnsupported, "GPTQ rounds to one number of bits per tensor",
                  "Leave out --channel-bits or --rounding.");
    }
    if (stored.columns == 0 || spec.weight_codes.contains(unit.name)) continue;
    spec.weight_codes[unit.name] = gptq_rounding(
                                       *graph.constant(unit.weight), quantizer->second, *geometry,
                                       [&](std::int64_t g) { return stored.hessian(g); }, threads)
                                       .codes;
  }
}

}  // namespace cleave::tune
