#include "search/exact_graph.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "search/exact_stages.h"
#include "search/item.h"

namespace cleave::search::exact {

namespace {

constexpr std::uint8_t kEdge = 1, kCloud = 2;  ///< sides, as sets
/// What holds once: the unit whose outputs come next runs on the edge (and is the last that does); something was sent;
/// the result was downloaded; under single-tensor pricing, no edge unit follows.
constexpr std::uint8_t kMakerOnEdge = 1, kMakerIsLast = 2, kSent = 4, kDownloaded = 8, kNoMoreEdge = 16;

}  // namespace

class StageGraphBuilder {
 public:
  StageGraphBuilder(const Problem& problem, const GraphOptions& options, StageGraph& graph)
      : problem_(problem),
        options_(options),
        graph_(graph),
        plan_(plan_stages(problem, options.pricing)),
        menus_(problem, options.goal, options.track_memory) {
    allowed_.resize(problem.units.size());
    widest_.resize(problem.units.size());
    owes_.resize(problem.tensors.size());
    stored_.resize(problem.tensors.size());
  }

  void build() {
    std::vector<std::string> keys{std::string(1, '\0')};
    int first = 0;
    for (const Stage& stage : plan_) {
      graph_.stages_.push_back(first);
      next_first_ = first + static_cast<int>(keys.size());
      after_ = layout_after(now_, stage, problem_, options_.track_memory);
      next_keys_.clear();
      ids_.clear();
      for (const std::string& key : keys) {
        graph_.first_step_.push_back(graph_.steps_.size());
        key_ = &key;
        expand(stage);
      }
      if (stage.closes_unit && !next_keys_.empty()) ++graph_.placeable_units_;
      now_ = after_;
      keys.swap(next_keys_);
      first = next_first_;
    }
    graph_.stages_.push_back(first);
    graph_.first_final_ = first;
    graph_.first_step_.resize(graph_.first_step_.size() + keys.size() + 1, graph_.steps_.size());
    graph_.stages_.push_back(first + static_cast<int>(keys.size()));
    graph_.menus_ = std::move(menus_.all());
  }

 private:
  std::uint8_t sides_of(int unit) const {
    const ProblemUnit& u = item(problem_.units, unit);
    return static_cast<std::uint8_t>((u.edge_s.empty() ? 0 : kEdge) | (u.cloud_s ? kCloud : 0));
  }

  /// The state that the node's key stands for; what is not known yet as it begins.
  void restore() {
    for (const int u : after_.units) {
      item(allowed_, u) = sides_of(u);
      item(widest_, u) = 0;
    }
    for (const int t : after_.tensors) item(owes_, t) = item(stored_, t) = 0;
    const auto* byte = reinterpret_cast<const std::uint8_t*>(key_->data());
    once_ = *byte++;
    for (const int u : now_.units) {
      item(allowed_, u) = *byte++;
      item(widest_, u) = *byte++;
    }
    for (const int t : now_.tensors) {
      item(owes_, t) = *byte++;
      item(stored_, t) = *byte++;
    }
  }

  void emit(const Stage& stage, Step step) {
    if (stage.closes_unit && !close_unit(stage, step)) return;
    const bool ends = &stage == &plan_.back();
    if (ends && options_.pricing == Pricing::kSingleTensor && (once_ & kNoMoreEdge) == 0) return;
    std::string key(1, static_cast<char>(once_));
    for (const int u : after_.units) {
      const bool cloud_only = (item(allowed_, u) & kEdge) == 0;
      if (item(allowed_, u) == 0) return;
      key += static_cast<char>(item(allowed_, u));
      key += static_cast<char>(cloud_only ? 0 : item(widest_, u));
    }
    for (const int t : after_.tensors) {
      key += static_cast<char>(item(owes_, t));
      key += static_cast<char>(item(stored_, t));
    }
    const auto [place, made] = ids_.try_emplace(key, next_first_ + static_cast<int>(next_keys_.size()));
    if (made) next_keys_.push_back(key);
    step.to = place->second;
    graph_.steps_.push_back(step);
    if (static_cast<std::int64_t>(graph_.steps_.size()) > options_.most_steps) throw TooWide{};
  }

  /// A unit has run: what it used last is free, and every promise must have been kept.
  bool close_unit(const Stage& stage, Step& step) {
    if (options_.track_memory && (once_ & kMakerOnEdge) != 0) {
      step.live_bytes = 0;
      const auto add = [&](int t) {
        if (item(stored_, t) > 0) step.live_bytes += option_bytes(t, item(stored_, t) - 1);
      };
      for (const int t : now_.tensors) add(t);
      if (stage.kind == Stage::kTensor) add(stage.subject);
      step.least_live_bytes = step.live_bytes + step.held_bytes + menus_.least_held(step.menu);
    }
    once_ &= static_cast<std::uint8_t>(~(kMakerOnEdge | kMakerIsLast));
    return std::none_of(now_.tensors.begin(), now_.tensors.end(), [&](int t) {
      return item(problem_.tensors, t).consumers.back() <= stage.unit && item(owes_, t) != 0;
    });
  }

  std::int64_t option_bytes(int t, int activation) const {
    const ProblemTensor& tensor = item(problem_.tensors, t);
    return stored_bytes(tensor, item(tensor.activation, activation).bits);
  }

  void expand(const Stage& stage) {
    if (stage.kind == Stage::kStart) return expand_start(stage);
    if (stage.kind == Stage::kUnit) return expand_unit(stage);
    restore();
    if (stage.unit >= 0 && (once_ & kMakerOnEdge) == 0) return made_on_cloud(stage);
    made_on_edge(stage);
  }

  /// Single-tensor pricing charges what the last edge unit makes, or the network inputs when there is none.
  void expand_start(const Stage& stage) {
    for (const int once : {0, kMakerIsLast | kNoMoreEdge}) {
      restore();
      once_ = static_cast<std::uint8_t>(once);
      emit(stage, {-1, -1, -1, -1, StepKind::kCloudTensor});
    }
  }

  void expand_unit(const Stage& stage) {
    restore();
    const bool known = std::find(now_.units.begin(), now_.units.end(), stage.subject) != now_.units.end();
    const std::uint8_t allowed = known ? item(allowed_, stage.subject) : sides_of(stage.subject);
    const int widest = known ? item(widest_, stage.subject) : 0;
    if (stage.subject == 0) once_ &= static_cast<std::uint8_t>(~kMakerIsLast);
    const std::uint8_t once = once_;
    if ((allowed & kCloud) != 0) {
      settle(stage.subject, kCloud);
      emit(stage,
           {-1, stage.subject, -1, -1, StepKind::kCloudUnit, seconds(*item(problem_.units, stage.subject).cloud_s, 0)});
    }
    if ((allowed & kEdge) == 0 || (once & kNoMoreEdge) != 0) return;
    for (const std::uint8_t last : last_choices()) {
      restore();
      once_ = static_cast<std::uint8_t>(once | kMakerOnEdge | last);
      settle(stage.subject, kEdge);
      emit(stage, {-1, stage.subject, menus_.weights(stage.subject, widest), -1, StepKind::kEdgeUnit});
    }
  }

  std::vector<std::uint8_t> last_choices() const {
    if (options_.pricing == Pricing::kExact) return {0};
    return {0, kMakerIsLast | kNoMoreEdge};
  }

  /// The unit uses its inputs on this side.
  void settle(int unit, std::uint8_t side) {
    for (const int t : item(problem_.units, unit).inputs) item(owes_, t) &= static_cast<std::uint8_t>(~side);
  }

  void made_on_cloud(const Stage& stage) {
    const ProblemTensor& tensor = item(problem_.tensors, stage.subject);
    Step step{-1, stage.subject, -1, -1, StepKind::kCloudTensor};
    for (const int u : tensor.consumers) item(allowed_, u) &= kCloud;
    if (tensor.is_output && problem_.result_at == ResultAt::kEdge && (once_ & kDownloaded) == 0) {
      once_ |= kDownloaded;
      step.seconds = seconds(problem_.link.result_bytes / problem_.link.download_bytes_per_s, 0);
    }
    emit(stage, step);
  }

  void made_on_edge(const Stage& stage) {
    const auto& consumers = item(problem_.tensors, stage.subject).consumers;
    decide_tensor(stage, kEdge);
    if (!consumers.empty()) decide_tensor(stage, kCloud);
    if (consumers.size() > 1) decide_tensor(stage, kEdge | kCloud);
  }

  /// uses: the sides of its consumers, all on one or some on each.
  void decide_tensor(const Stage& stage, int uses) {
    const ProblemTensor& tensor = item(problem_.tensors, stage.subject);
    const bool made_output = tensor.is_output && stage.unit >= 0;
    const bool decided = ((uses & kEdge) != 0 && !tensor.consumers.empty()) || made_output;
    const bool sent = (uses & kCloud) != 0 || (tensor.is_output && problem_.result_at == ResultAt::kCloud);
    if ((decided && tensor.activation.empty()) || (sent && tensor.wire.empty())) return;
    const int options = decided ? static_cast<int>(tensor.activation.size()) : 1;
    for (int option = 0; option < options; ++option) {
      restore();
      const int activation = decided ? option : -1;
      if (!promise(stage.subject, uses, activation)) return;
      place_tensor(stage, activation, sent, made_output);
    }
  }

  /// Tells the consumers; false when one cannot keep it.
  bool promise(int t, int uses, int activation) {
    const ProblemTensor& tensor = item(problem_.tensors, t);
    for (const int u : tensor.consumers) {
      item(allowed_, u) &= static_cast<std::uint8_t>(uses);
      if (item(allowed_, u) == 0) return false;
      if (activation < 0) continue;
      const int bits = item(tensor.activation, activation).bits;
      item(widest_, u) = static_cast<std::uint8_t>(std::max<int>(item(widest_, u), bits));
    }
    item(owes_, t) = static_cast<std::uint8_t>(uses == (kEdge | kCloud) ? uses : 0);
    return true;
  }

  void place_tensor(const Stage& stage, int activation, bool sent, bool made_output) {
    const ProblemTensor& tensor = item(problem_.tensors, stage.subject);
    Step step{-1, stage.subject, -1, activation, StepKind::kEdgeTensor};
    item(stored_, stage.subject) = 0;
    const bool charged = options_.pricing == Pricing::kExact || (once_ & kMakerIsLast) != 0;
    if (activation >= 0) {
      step.distortion = item(tensor.activation, activation).distortion;
      step.seconds = seconds(0, step.distortion);
      const bool held = sent || made_output;
      if (options_.track_memory && held) step.held_bytes = option_bytes(stage.subject, activation);
      const bool stored = options_.track_memory && !held;
      item(stored_, stage.subject) = static_cast<std::uint8_t>(stored ? activation + 1 : 0);
      if (options_.pricing == Pricing::kSingleTensor && charged && !sent) {
        step.seconds +=
            seconds(static_cast<double>(option_bytes(stage.subject, activation)) / problem_.link.bytes_per_s, 0);
      }
    }
    if (sent) {
      step.menu = menus_.wire(stage.subject, charged, activation < 0);
      step.seconds += first_sending_s();
    }
    emit(stage, step);
  }

  double first_sending_s() {
    if (options_.pricing != Pricing::kExact || (once_ & kSent) != 0) return 0;
    once_ |= kSent;
    return seconds(problem_.link.rtt_s + problem_.link.header_bytes / problem_.link.bytes_per_s, 0);
  }

  double seconds(double latency_s, double distortion) const { return counted(options_.goal, latency_s, distortion); }

  const Problem& problem_;
  const GraphOptions& options_;
  StageGraph& graph_;
  std::vector<Stage> plan_;
  Layout now_, after_;
  const std::string* key_ = nullptr;
  std::unordered_map<std::string, int> ids_;
  std::vector<std::string> next_keys_;
  int next_first_ = 0;
  Menus menus_;

  // the state that is being worked on
  std::uint8_t once_ = 0;
  std::vector<std::uint8_t> allowed_, widest_;  ///< per unit
  std::vector<std::uint8_t> owes_, stored_;     ///< per tensor; stored: activation option + 1, 0 for none
};

StageGraph::StageGraph(const Problem& problem, const GraphOptions& options) {
  StageGraphBuilder(problem, options, *this).build();
}

}  // namespace cleave::search::exact
