#include "synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "search/edge_part.h"

namespace cleave::bench {
namespace {

constexpr int kLeastUnits = 8;
constexpr int kLeastBits = 2;
constexpr int kMostBits = 8;
constexpr int kStages = 5;
constexpr std::int64_t kClasses = 1000;
constexpr double kEdgeMacsPerSecond = 34e9;
constexpr double kEdgeBytesPerSecond = 1e9;
constexpr double kCloudSpeedUp = 100;
/// Upload of the input over all units on the edge.
constexpr double kUploadRatio = 3;

constexpr std::array<const char*, 5> kBlockNames = {"chain", "residual", "dense", "inception", "mixed"};

/// Draws without std distributions: their results differ between standard libraries.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  int upto(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  /// low <= x < high, uniform.
  double between(double low, double high) {
    return low + (high - low) * std::ldexp(static_cast<double>(engine_() >> 11), -53);
  }
  /// 1/4 <= x < 4, nearly uniform in the logarithm.
  double spread() { return std::ldexp(between(1, 2), upto(4) - 2); }

 private:
  std::mt19937_64 engine_;
};

struct Feature {
  int tensor = 0;
  std::int64_t channels = 0;
  std::int64_t side = 0;

  std::int64_t elements() const { return channels * side * side; }
};

/// What a unit makes and what that takes.
struct Work {
  std::string name;
  std::int64_t channels = 0;
  std::int64_t side = 0;
  std::int64_t weights = 0;
  std::int64_t macs = 0;
};

double bytes_of(std::int64_t elements, int bits) {
  return static_cast<double>(elements) * bits / 8;
}

class ProblemWriter {
 public:
  explicit ProblemWriter(std::uint64_t seed) : dice_(seed) {}

  Feature image(std::int64_t side) {
    search::ProblemTensor tensor = described("image", 3 * side * side);
    tensor.activation = {tensor.activation.back()};
    tensor.wire = {{kMostBits, tensor.elements, tensor.wire.back().distortion}};
    problem_.tensors.push_back(std::move(tensor));
    problem_.inputs = {0};
    return {0, 3, side};
  }

  Feature conv(const std::string& name, Feature x, std::int64_t channels, std::int64_t kernel,
               std::int64_t stride = 1) {
    const std::int64_t side = (x.side + stride - 1) / stride;
    const std::int64_t weights = x.channels * channels * kernel * kernel;
    return add_unit({name, channels, side, weights, weights * side * side}, {x});
  }
  Feature pool(const std::string& name, Feature x, std::int64_t side) {
    return add_unit({name, x.channels, side, 0, 0}, {x});
  }
  Feature add(const std::string& name, Feature a, Feature b) {
    return add_unit({name, a.channels, a.side, 0, 0}, {a, b});
  }
  Feature concat(const std::string& name, const std::vector<Feature>& parts) {
    std::int64_t channels = 0;
    for (const Feature& part : parts) channels += part.channels;
    return add_unit({name, channels, parts.front().side, 0, 0}, parts);
  }

  int units() const { return static_cast<int>(problem_.units.size()); }
  Dice& dice() { return dice_; }
  search::Problem finish(Feature result);

 private:
  /// A tensor with every choice and its distortions.
  search::ProblemTensor described(const std::string& name, std::int64_t elements) {
    search::ProblemTensor tensor;
    tensor.name = name;
    tensor.elements = elements;
    const double scale = dice_.spread();
    const double coded = dice_.between(0.6, 1);
    for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
      const double distortion = distortion_at(bits, scale);
      tensor.activation.push_back({bits, distortion});
      tensor.wire.push_back({bits, static_cast<std::int64_t>(std::ceil(coded * bytes_of(elements, bits))), distortion});
    }
    return tensor;
  }

  double distortion_at(int bits, double scale) {
    return std::ldexp(scale * dice_.between(0.875, 1.125), 2 * (kLeastBits - bits));
  }

  void choose_weights(search::ProblemUnit& unit, std::int64_t weights) {
    if (weights == 0) {
      unit.weight = {{0, 0, 0}};
      return;
    }
    const double scale = dice_.spread();
    for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
      unit.weight.push_back({bits, (weights * bits + 7) / 8, distortion_at(bits, scale)});
    }
  }

  void price(search::ProblemUnit& unit, const Work& work, std::int64_t moved_elements) {
    const double luck = dice_.between(0.75, 1.25);
    for (const search::WeightOption& weight : unit.weight) {
      for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
        const double bytes = static_cast<double>(weight.bytes) + bytes_of(moved_elements, bits);
        unit.edge_s[weight.bits][bits] =
            luck * (static_cast<double>(work.macs) / kEdgeMacsPerSecond + bytes / kEdgeBytesPerSecond);
      }
    }
    unit.cloud_s = unit.edge_s.rbegin()->second.at(kMostBits) / kCloudSpeedUp;
  }

  Feature add_unit(const Work& work, const std::vector<Feature>& inputs) {
    const Feature result{static_cast<int>(problem_.tensors.size()), work.channels, work.side};
    search::ProblemUnit unit;
    unit.name = work.name;
    unit.outputs = {result.tensor};
    std::int64_t moved = result.elements();
    for (const Feature& input : inputs) {
      unit.inputs.push_back(input.tensor);
      moved += input.elements();
    }
    problem_.tensors.push_back(described(work.name, result.elements()));
    choose_weights(unit, work.weights);
    price(unit, work, moved);
    problem_.units.push_back(std::move(unit));
    return result;
  }

  void choose_link();
  void choose_limits();

  Dice dice_;
  search::Problem problem_;
};

void ProblemWriter::choose_link() {
  double edge_s = 0;
  for (const search::ProblemUnit& unit : problem_.units) edge_s += unit.edge_s.rbegin()->second.at(kMostBits);
  const double seconds = kUploadRatio * edge_s;
  const double bytes_per_s = static_cast<double>(problem_.tensors.front().elements) / seconds;
  problem_.link = {bytes_per_s, seconds / 100, 64, bytes_per_s, 4.0 * kClasses};
}

void ProblemWriter::choose_limits() {
  std::vector<bool> on_edge(problem_.units.size(), false);
  std::fill_n(on_edge.begin(), 2 * units() / 3, true);
  const search::EdgePart part = *search::make_edge_part(problem_, std::move(on_edge), search::Pricing::kExact);
  const auto cost = [&](bool narrowest) {
    return search::evaluate(problem_, part, search::uniform_choice(problem_, part, narrowest));
  };
  const search::Evaluation least = cost(true);
  const search::Evaluation most = cost(false);
  const auto memory = [](const search::Evaluation& e) {
    return static_cast<double>(e.weight_bytes + e.activation_bytes);
  };
  problem_.limits.edge_memory_bytes = static_cast<std::int64_t>(std::sqrt(memory(least) * memory(most)));
  problem_.limits.distortion = std::sqrt(least.distortion * most.distortion);
}

search::Problem ProblemWriter::finish(Feature result) {
  problem_.outputs = {result.tensor};
  problem_.result_at = search::ResultAt::kAnywhere;
  choose_link();
  problem_.finish();
  choose_limits();
  return std::move(problem_);
}

Feature chain(ProblemWriter& net, const std::string& name, Feature x) {
  return net.conv(name + "/conv", x, x.channels, 3);
}

Feature residual(ProblemWriter& net, const std::string& name, Feature x) {
  const Feature narrow = net.conv(name + "/reduce", x, x.channels / 4, 1);
  const Feature middle = net.conv(name + "/conv", narrow, narrow.channels, 3);
  return net.add(name + "/add", net.conv(name + "/expand", middle, x.channels, 1), x);
}

Feature dense(ProblemWriter& net, const std::string& name, Feature x) {
  std::vector<Feature> parts = {x};
  Feature all = x;
  for (const char* number : {"1", "2", "3"}) {
    parts.push_back(net.conv(name + "/conv" + number, all, x.channels / 4, 3));
    all = net.concat(name + "/concat" + number, parts);
  }
  return net.conv(name + "/reduce", all, x.channels, 1);
}

Feature inception(ProblemWriter& net, const std::string& name, Feature x) {
  const std::int64_t part = x.channels / 4;
  const Feature one = net.conv(name + "/1x1", x, part, 1);
  const Feature three = net.conv(name + "/3x3", net.conv(name + "/3x3_reduce", x, part / 2, 1), part, 3);
  const Feature five = net.conv(name + "/5x5", net.conv(name + "/5x5_reduce", x, part / 4, 1), part, 5);
  const Feature pooled = net.conv(name + "/pool_project", net.pool(name + "/pool", x, x.side), part, 1);
  return net.concat(name + "/concat", {one, three, five, pooled});
}

struct Block {
  int units;
  Feature (*write)(ProblemWriter&, const std::string& name, Feature x);
};
constexpr std::array<Block, 4> kBlocks = {{{1, chain}, {4, residual}, {7, dense}, {8, inception}}};

/// A block of that kind that has at most `most` units; a chain fits always.
const Block& choose(BlockKind kind, int most, Dice& dice) {
  const auto index =
      kind == BlockKind::kMixed ? static_cast<std::size_t>(dice.upto(kBlocks.size())) : static_cast<std::size_t>(kind);
  return kBlocks[index].units <= most ? kBlocks[index] : kBlocks[0];
}

}  // namespace

std::span<const char* const> block_names() {
  return kBlockNames;
}

BlockKind block_from_name(const std::string& name) {
  const auto found = std::find(kBlockNames.begin(), kBlockNames.end(), name);
  if (found != kBlockNames.end()) return static_cast<BlockKind>(found - kBlockNames.begin());
  const std::vector<std::string> known(kBlockNames.begin(), kBlockNames.end());
  throw Error(ErrorKind::kUsage, "no blocks are called '" + name + "'" + did_you_mean(name, known));
}

search::Problem synthetic_problem(int units, BlockKind kind, std::uint64_t seed) {
  if (units < kLeastUnits) throw Error(ErrorKind::kUsage, "a synthetic network has at least 8 units");
  ProblemWriter net(seed);
  Feature x = net.conv("stem", net.image(224), 64, 7, 2);
  const int body_end = units - 2;
  for (int stage = 0, blocks = 0; net.units() < body_end; ++blocks) {
    const std::string name = "block" + std::to_string(blocks);
    if (net.units() * kStages >= (stage + 1) * units) {
      x = net.conv(name + "/down", x, 2 * x.channels, 3, 2);
      ++stage;
    } else {
      x = choose(kind, body_end - net.units(), net.dice()).write(net, name, x);
    }
  }
  return net.finish(net.conv("classifier", net.pool("pool", x, 1), kClasses, 1));
}

}  // namespace cleave::bench
