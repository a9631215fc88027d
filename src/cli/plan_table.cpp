#include "cli/plan_table.h"

#include "cli/output.h"
#include "core/text.h"

namespace cleave::cli {

namespace {

std::string edge_units_table(const search::Plan& plan) {
  if (plan.edge_units.empty()) return "";
  Table table({"edge unit", "W bits", "A bits", "edge ms", "cloud ms"});
  for (const std::string& name : plan.edge_units) {
    const search::PlanUnit& unit = plan.units.at(name);
    table.row({name, unit.weight_bits == 0 ? "-" : std::to_string(unit.weight_bits),
               std::to_string(unit.activation_bits), fixed(unit.edge_ms, 3), fixed(unit.cloud_ms, 3)});
  }
  return table.text() + "\n";
}

std::string crossing_table(const search::Plan& plan) {
  if (plan.crossing.empty()) return "nothing crosses\n\n";
  Table table({"crossing tensor", "bits", "elements", "bytes"});
  for (const search::PlanCrossing& crossing : plan.crossing) {
    table.row({crossing.tensor, std::to_string(crossing.bits), grouped(crossing.elements), grouped(crossing.bytes)});
  }
  return table.text() + "\n";
}

std::string comparison_table(const search::Plan& plan) {
  Table table({"choice", "latency ms", "of the plan", ""});
  table.row(
      {"this plan", fixed(plan.latency_ms, 3), "1.00 x",
       "edge " + fixed(plan.edge_ms, 2) + " + link " + fixed(plan.link_ms, 2) + " + cloud " + fixed(plan.cloud_ms, 2)});
  for (const auto& [name, baseline] : plan.baselines) {
    if (!baseline) continue;
    table.row({name, fixed(baseline->latency_ms, 3),
               plan.latency_ms > 0 ? fixed(baseline->latency_ms / plan.latency_ms, 2) + " x" : "-", baseline->detail});
  }
  return table.text() + "\n";
}

std::string jpeg_advice(const search::Plan& plan) {
  const auto found = plan.baselines.find("cloud_only_jpeg");
  if (found == plan.baselines.end() || !found->second || found->second->latency_ms >= plan.latency_ms) return "";
  return "note: sending the picture as JPEG and computing all in the cloud is faster here (" +
         fixed(found->second->latency_ms, 2) + " ms)\n";
}

}  // namespace

std::string infeasible_text(const search::Plan& plan) {
  if (!plan.infeasibility) return "no plan fits";
  const search::Infeasibility& why = *plan.infeasibility;
  const std::string limits = number_text(why.needed) + ", " + number_text(why.allowed) + " allowed";
  if (plan.solver == "exhaustive") return "no plan fits: " + why.tightest + " needs at least " + limits;
  return "no plan found that fits: the least " + why.tightest + " found is " + limits;  // a search, not a proof
}

std::string plan_table(const search::Plan& plan) {
  if (plan.status == search::Status::kInfeasible) {
    const bool distortion = plan.infeasibility && plan.infeasibility->tightest == "distortion";
    return infeasible_text(plan) +
           (distortion ? "\nAllow more bits, or raise --max-distortion.\n"
                       : "\nAllow fewer bits (--weight-bits, --activation-bits), or raise that limit.\n");
  }
  return edge_units_table(plan) + crossing_table(plan) + comparison_table(plan) + search::status_name(plan.status) +
         " (" + plan.solver + "): " + fixed(plan.latency_ms, 3) + " ms, lower bound " + fixed(plan.lower_bound_ms, 3) +
         " ms; edge memory " + human_bytes(static_cast<double>(plan.weight_bytes)) + " weights + " +
         human_bytes(static_cast<double>(plan.activation_bytes)) + " activations; distortion " +
         fixed(plan.distortion, 4) + "\n" + jpeg_advice(plan);
}

}  // namespace cleave::cli
