#include "report/capacity_json.h"

#include "model/offered_load.h"

namespace vtax {

void write_capacity(JsonWriter& json, std::string_view key, const WindowCost& cost, const MachineSpeed& speed,
                    std::string_view unit) {
  const auto allowed = capacity(cost, speed);
  if (!allowed) return;
  json.key(key)
      .begin_object()
      .field("unit", unit.empty() ? unit_of_rate(allowed->unit) : unit)
      .field("at_most", allowed->rate());
  if (const auto reached = measured_rate(cost)) json.field("measured", *reached);
  json.key("stations").begin_array();
  for (const Station& station : allowed->stations)
    json.begin_object().field("name", station.name).field("utilisation", station.utilisation).end_object();
  json.end_array().end_object();
}

void write_rates(JsonWriter& json, const Run& header, const RunCosts& costs) {
  const auto speed = machine_speed(header, costs);
  if (!speed) return;
  if (!*speed) {
    json.field("rates_error", speed->error().why);
    return;
  }
  json.field("rates_basis", (*speed)->basis).key("rates").begin_array();
  for (const Cell& cell : costs.cells) {
    if (!cell.cost()) continue;
    json.line().begin_object().key("factors").begin_object();
    for (const auto& [factor, value] : cell.factors) json.field(factor, value);
    json.end_object();
    write_capacity(json, "capacity", *cell.cost(), **speed);
    if (const auto load = offered_load(cell, **speed)) {
      json.key("offered").begin_object().field("rate", load->offered).field("possible", load->possible());
      json.field("busiest", load->busiest).field("busiest_utilisation", load->busiest_part);
      json.field("cpus", load->cpus).end_object();
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace vtax
