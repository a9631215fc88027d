#include "cli/layer_times.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/output.h"

namespace cleave::cli {

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Json gflops(std::int64_t macs, double seconds) {
  return macs > 0 && seconds > 0 ? Json(2e-9 * static_cast<double>(macs) / seconds) : Json();
}

bool is_code(DType dtype) {
  return dtype == DType::kUint8 || dtype == DType::kInt8;
}

/// The step that does the unit's multiplications reads codes.
bool multiplies_codes(const exec::UnitTime& unit) {
  return unit.macs > 0 && std::any_of(unit.steps.begin(), unit.steps.end(), [&unit](const exec::StepTime& step) {
           return step.op == unit.op && is_code(step.reads);
         });
}

Json layer_json(const exec::UnitTime& unit, double seconds, const exec::Peak& peak) {
  const bool codes = multiplies_codes(unit);
  Json row = {{"name", unit.name}, {"op", unit.op}, {"ms", 1e3 * seconds}, {"macs", unit.macs}};
  row["bits"] = codes ? 8 : 32;
  row["gflops"] = gflops(unit.macs, seconds);
  row["peak_share"] = Json();
  if (!row["gflops"].is_null()) {
    row["peak_share"] =
        static_cast<double>(unit.macs) / seconds / (codes ? peak.code_macs_per_s : peak.float_macs_per_s);
  }
  std::int64_t bytes = 0;
  row["kernels"] = Json::array();
  for (const exec::StepTime& step : unit.steps) {
    bytes += step.bytes;
    row["kernels"].push_back(step.op + " " + step.kernel);
  }
  row["bytes"] = bytes;
  return row;
}

double total_s(const std::vector<exec::UnitTime>& units) {
  double sum = 0;
  for (const exec::UnitTime& unit : units) sum += unit.seconds;
  return sum;
}

std::string number_or_blank(const Json& value, double scale, int decimals) {
  return value.is_null() ? "" : fixed(scale * value.get<double>(), decimals);
}

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& text : texts) all += (all.empty() ? "" : ", ") + text.get<std::string>();
  return all;
}

}  // namespace

Json layers_json(const TimedRuns& runs, const exec::Peak& peak) {
  Json layers = Json::array();
  for (std::size_t unit = 0; unit < runs.front().size(); ++unit) {
    std::vector<double> seconds;
    for (const auto& run : runs) seconds.push_back(run[unit].seconds);
    layers.push_back(layer_json(runs.front()[unit], median(std::move(seconds)), peak));
  }
  return layers;
}

Json operators_json(const Json& layers) {
  struct Total {
    int units = 0;
    double ms = 0;
    std::int64_t macs = 0;
  };
  std::map<std::string, Total> totals;
  double all_ms = 0;
  for (const Json& layer : layers) {
    Total& total = totals[layer["op"].get<std::string>()];
    ++total.units;
    total.ms += layer["ms"].get<double>();
    total.macs += layer["macs"].get<std::int64_t>();
    all_ms += layer["ms"].get<double>();
  }
  std::vector<std::pair<std::string, Total>> sorted(totals.begin(), totals.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.ms > b.second.ms; });
  Json rows = Json::array();
  for (const auto& [op, total] : sorted) {
    rows.push_back({{"op", op},
                    {"units", total.units},
                    {"ms", total.ms},
                    {"share", all_ms > 0 ? total.ms / all_ms : 0.0},
                    {"macs", total.macs},
                    {"gflops", gflops(total.macs, total.ms / 1e3)}});
  }
  return rows;
}

Json peak_json(const exec::Peak& peak, int threads) {
  return {{"isa", peak.isa},
          {"threads", threads},
          {"float32_gflops", 2e-9 * peak.float_macs_per_s},
          {"int8_gops", 2e-9 * peak.code_macs_per_s}};
}

std::string layers_text(const Json& layers, const Json& operators, const Json& peak) {
  Table table({"unit", "op", "ms", "bits", "GFLOP/s", "% of peak", "kernels"});
  for (const Json& layer : layers) {
    table.row({layer["name"].get<std::string>(), layer["op"].get<std::string>(), fixed(layer["ms"].get<double>(), 3),
               layer["macs"] == 0 ? "" : std::to_string(layer["bits"].get<int>()),
               number_or_blank(layer["gflops"], 1, 1), number_or_blank(layer["peak_share"], 100, 0),
               joined(layer["kernels"])});
  }
  Table totals({"op", "units", "ms", "% of time", "GFLOP/s"});
  for (const Json& row : operators) {
    totals.row({row["op"].get<std::string>(), std::to_string(row["units"].get<int>()),
                fixed(row["ms"].get<double>(), 3), fixed(100 * row["share"].get<double>(), 1),
                number_or_blank(row["gflops"], 1, 1)});
  }
  return table.text() + "\n" + totals.text() + "\npeak of this machine (" + peak["isa"].get<std::string>() + ", " +
         std::to_string(peak["threads"].get<int>()) + " threads): " + fixed(peak["float32_gflops"].get<double>(), 0) +
         " GFLOP/s in float32, " + fixed(peak["int8_gops"].get<double>(), 0) + " Gop/s in 8 bits\n\n";
}

Json trace_json(const TimedRuns& runs) {
  const auto& quickest =
      *std::min_element(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return total_s(a) < total_s(b); });
  double begin_s = INFINITY;
  for (const auto& unit : quickest) {
    for (const auto& step : unit.steps) begin_s = std::min(begin_s, step.begin_s);
  }
  Json events = Json::array();
  for (const exec::UnitTime& unit : quickest) {
    for (const exec::StepTime& step : unit.steps) {
      Json about = {{"op", step.op}, {"unit", unit.name}, {"kernel", step.kernel}, {"bytes", step.bytes}};
      about["gflops"] = step.op == unit.op ? gflops(unit.macs, step.seconds) : Json();
      events.push_back({{"name", step.op + " " + unit.name},
                        {"cat", step.op},
                        {"ph", "X"},
                        {"pid", 0},
                        {"tid", 0},
                        {"ts", 1e6 * (step.begin_s - begin_s)},
                        {"dur", 1e6 * step.seconds},
                        {"args", std::move(about)}});
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Json& a, const Json& b) { return a["ts"].get<double>() < b["ts"].get<double>(); });
  return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
}

}  // namespace cleave::cli
