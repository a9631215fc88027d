// The cleave side of compare.py: one network, kept alive, driven by lines of JSON on standard input; every line is
// answered by one line.
//
//   {"load": FILE, "threads": N, "batch": B, "inputs": FOLDER}
//       seeded inputs are written to FOLDER as raw bytes; -> {"ms": to the first answer, "inputs": [{name, dtype,
//       shape, file}]}
//   {"run": K}               -> {"ms": [K times]}
//   {"compare": FOLDER}      against FOLDER/outputs.json: [{name, dtype, shape, file}] of the same inputs
//                            -> {"error": largest difference over the output's range, "differing": share of the values
//                                further apart than 1e-4 of the range, "argmax": share of rows with the same argmax}
//   {"memory": true}         -> {"peak_kb", "before_load_kb"}
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "exec/batched_session.h"
#include "exec/noise.h"
#include "exec/session.h"
#include "graph/model.h"

namespace cleave::bench {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// A figure of /proc/self/status: "VmHWM" is the largest resident set so far.
std::int64_t status_kb(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoll(line.substr(key.size() + 1));
  }
  return 0;
}

struct Difference {
  double error = 0;
  std::int64_t values = 0;
  std::int64_t differing = 0;
  std::int64_t rows = 0;
  std::int64_t same_argmax = 0;

  void add(const Tensor& ours, const Tensor& theirs);
};

void Difference::add(const Tensor& ours, const Tensor& theirs) {
  const auto a = ours.data<float>();
  const auto b = theirs.data<float>();
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  const double range = std::max<double>(static_cast<double>(*high) - *low, 1e-30);
  values += static_cast<std::int64_t>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]) / range;
    error = std::isnan(difference) ? INFINITY : std::max(error, difference);
    differing += difference <= 1e-4 ? 0 : 1;
  }
  const std::size_t row = a.size() / static_cast<std::size_t>(std::max<std::int64_t>(ours.shape().at(0), 1));
  for (std::size_t start = 0; start + row <= a.size() && row > 0; start += row) {
    const auto ours_row = a.subspan(start, row);
    const auto theirs_row = b.subspan(start, row);
    const auto best = std::max_element(ours_row.begin(), ours_row.end()) - ours_row.begin();
    same_argmax += std::max_element(theirs_row.begin(), theirs_row.end()) - theirs_row.begin() == best ? 1 : 0;
    ++rows;
  }
}

class Peer {
 public:
  Json answer(const Json& request) {
    if (request.contains("load")) return load(request);
    if (request.contains("run")) return run(request["run"].get<int>());
    if (request.contains("compare")) return compare(request["compare"].get<std::string>());
    if (request.contains("memory")) return {{"peak_kb", status_kb("VmHWM")}, {"before_load_kb", before_load_kb_}};
    return {{"failed", "unknown request"}};
  }

 private:
  Json load(const Json& request) {
    before_load_kb_ = status_kb("VmRSS");
    const auto start = Clock::now();
    session_.emplace(graph::Model::load(request["load"].get<std::string>()),
                     exec::SessionOptions{exec::Kernels::kFast, request["threads"].get<int>()});
    batch_ = request["batch"];
    inputs_.clear();
    for (graph::TensorInfo info : infos_of(graph().inputs())) {
      info.shape.at(0) = batch_;
      inputs_.push_back(exec::noise(info, 1));
    }
    session_->run_into(inputs_, outputs_);
    return {{"ms", ms_since(start)}, {"inputs", written_inputs(request["inputs"].get<std::string>())}};
  }

  const graph::Graph& graph() { return session_->graph_of(batch_); }

  std::vector<graph::TensorInfo> infos_of(std::span<const graph::TensorId> ids) {
    std::vector<graph::TensorInfo> list;
    for (const graph::TensorId id : ids) list.push_back(graph().tensor(id));
    return list;
  }

  Json written_inputs(const std::string& folder) {
    Json list = Json::array();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Tensor& input = inputs_[i];
      const std::string file = folder + "/input" + std::to_string(i) + ".bin";
      write_file_atomically(file, {reinterpret_cast<const char*>(input.raw().data()), input.bytes()});
      list.push_back({{"name", infos_of(graph().inputs())[i].name},
                      {"dtype", dtype_name(input.dtype())},
                      {"shape", input.shape()},
                      {"file", file}});
    }
    return list;
  }

  Json run(int count) {
    Json ms = Json::array();
    for (int i = 0; i < count; ++i) {
      const auto start = Clock::now();
      session_->run_into(inputs_, outputs_);
      ms.push_back(ms_since(start));
    }
    return {{"ms", std::move(ms)}};
  }

  Json compare(const std::string& folder) {
    session_->run_into(inputs_, outputs_);
    Difference difference;
    for (const Json& row : read_json(folder + "/outputs.json")) {
      const std::string bytes = read_file(row["file"].get<std::string>());
      Tensor theirs(dtype_from_name(row["dtype"].get<std::string>()), row["shape"].get<Shape>());
      std::memcpy(theirs.mutable_raw().data(), bytes.data(), std::min(bytes.size(), theirs.bytes()));
      const std::size_t at = output_named(row["name"].get<std::string>());
      if (outputs_[at].shape() != theirs.shape() || outputs_[at].dtype() != theirs.dtype()) {
        return {{"failed", "output '" + row["name"].get<std::string>() + "' has another shape or type"}};
      }
      if (theirs.dtype() == DType::kFloat32 && theirs.elements() > 0) difference.add(outputs_[at], theirs);
    }
    return {{"error", difference.error},
            {"differing", static_cast<double>(difference.differing) / static_cast<double>(difference.values)},
            {"argmax", static_cast<double>(difference.same_argmax) / static_cast<double>(difference.rows)}};
  }

  std::size_t output_named(const std::string& name) {
    const std::vector<graph::TensorInfo> outputs = infos_of(graph().outputs());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].name == name) return i;
    }
    throw Error(ErrorKind::kInvalidInput, "no output '" + name + "'");
  }

  std::optional<exec::BatchedSession> session_;
  std::int64_t batch_ = 1;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::int64_t before_load_kb_ = 0;
};

}  // namespace
}  // namespace cleave::bench

int main() {
  cleave::bench::Peer peer;
  for (std::string line; std::getline(std::cin, line);) {
    cleave::Json reply;
    try {
      reply = peer.answer(cleave::parse_json(line, "request"));
    } catch (const std::exception& error) {
      reply = {{"failed", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
  return 0;
}
