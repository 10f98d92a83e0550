#include "report/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/json_writer.h"
#include "core/readable.h"
#include "query/measured.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "query/sensitivity.h"
#include "report/capacity_json.h"
#include "report/claims_json.h"

namespace vtax {
namespace {

constexpr std::size_t kMostCells = 1000;
constexpr std::size_t kMostSeries = 200;
constexpr std::size_t kLeastFunctionsOfCell = 16;  // a page of 500 trials stays below 5 MB
constexpr std::size_t kMostFunctionsOfCell = 400;
constexpr std::size_t kMostFunctionsOfPage = 8000;  // of all cells, as long as each has the least
constexpr std::size_t kMostTimelines = 150;
constexpr std::size_t kMostProvenance = 5;
constexpr std::size_t kMostModels = 40;

void write_optional(JsonWriter& json, std::string_view key, std::optional<double> value) {
  json.key(key);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_range(JsonWriter& json, std::string_view key, const std::optional<Interval>& range) {
  if (range) json.key(key).begin_array().value(range->low).value(range->high).end_array();
}

void write_per_unit(JsonWriter& json, const Comparison& comparison, const Cell& cell) {
  const WindowCost& cost = *cell.cost();
  json.key("per").begin_object();
  for (const Unit unit : units_of(cost.work)) {
    json.key(name(unit)).begin_object().key("layers").begin_array();
    for (const Layer layer : kLayers) json.value(per_unit(cost.of(layer), cost.work, unit).value_or(0));
    json.end_array().field("total", per_unit(cost.total, cost.work, unit).value_or(0));
    write_optional(json, "tax", tax(comparison, cell, unit));
    json.field("shown_tax", marked_tax(comparison, cell, unit));
    write_range(json, "tax_interval", tax_interval(comparison, cell, unit));
    if (const auto interval = cost_interval(cell, unit)) write_range(json, "interval", interval->range);
    json.end_object();
  }
  json.end_object();
}

void write_functions(JsonWriter& json, const PageData& data, const Cell& cell) {
  const auto found = data.functions.find(cell.factors);
  json.key("functions").begin_array();
  if (found != data.functions.end()) {
    for (const FunctionCost& f : found->second.first) {
      json.begin_object().field("domain", f.domain);
      json.field("layer", layer_and_part(f));
      json.field("image", f.image)
          .field("function", f.function)
          .field("instructions", f.instructions.value)
          .end_object();
    }
  }
  json.end_array().field("more_functions",
                         found == data.functions.end() ? std::uint64_t{0} : found->second.second);
}

void write_layers(JsonWriter& json, const LayerCosts& costs) {
  json.key("layers").begin_array();
  for (const std::uint64_t cost : costs) json.value(cost);
  json.end_array();
}

// Instructions of the window by CPU and by domain.
void write_places(JsonWriter& json, const WindowCost& cost) {
  json.key("cpus").begin_array();
  for (const auto& [cpu, layers] : cost.cpus) {
    json.begin_object().field("cpu", static_cast<std::uint64_t>(cpu));
    write_layers(json, layers);
    json.end_object();
  }
  json.end_array().key("domains").begin_array();
  for (const auto& [domain, layers] : cost.domains) {
    json.begin_object().field("domain", domain);
    write_layers(json, layers);
    json.end_object();
  }
  json.end_array();
}

void write_guests(JsonWriter& json, const WindowCost& cost) {
  json.key("guests").begin_array();
  for (const GuestWork& guest : cost.guests) {
    json.begin_object().field("guest", printable(guest.guest)).field("bytes", guest.bytes.value);
    json.field("transactions", guest.transactions.value).field("ns", guest.virtual_ns).end_object();
  }
  json.end_array();
  write_optional(json, "fairness", fairness_of(cost.guests));
}

void write_spread(JsonWriter& json, const Spread& spread) {
  json.field("median", spread.median);
  if (spread.interval) write_range(json, "interval", spread.interval->range);
}

// By the machine's clock, over the repetitions.
void write_measured(JsonWriter& json, const Cell& cell) {
  const auto rate = rate_of(cell);
  if (!rate) return;
  const Unit unit = units_of(cell.cost()->work).front();
  json.key("rate").begin_object().field("unit", rate_noun(unit, cell.workload()));
  write_spread(json, *rate);
  json.end_object().key("busy").begin_array();
  for (const BusyShare& one : busy_shares(cell)) {
    json.begin_object()
        .field("cpu", static_cast<std::uint64_t>(one.cpu))
        .field("domain", printable(one.domain));
    write_spread(json, one.share);
    json.end_object();
  }
  json.end_array();
}

// The sum of the rows for which `holds` is true, slice by slice.
template <class Holds>
std::vector<std::uint64_t> sum_of_rows(const Timeline& timeline, const Holds& holds) {
  std::vector<std::uint64_t> sums(timeline.end_ns.size());
  for (const auto& row : timeline.rows)
    if (holds(row))
      for (std::size_t slice = 0; slice < sums.size(); ++slice) sums[slice] += row.cost[slice];
  return sums;
}

struct Stacked {
  std::string name;
  std::vector<std::uint64_t> cost;
};

// Of the real host: the layers that have anything, without idleness, and others' time where the trial was.
std::vector<Stacked> stacked_in_time(const Timeline& timeline) {
  std::set<int> trials_cpus;
  for (const auto& row : timeline.rows)
    if (row.layer != Layer::idle && row.layer != Layer::elsewhere) trials_cpus.insert(row.cpu);
  std::vector<Stacked> out;
  const auto add = [&](std::string name, std::vector<std::uint64_t> cost) {
    if (std::any_of(cost.begin(), cost.end(), [](std::uint64_t ns) { return ns > 0; }))
      out.push_back({std::move(name), std::move(cost)});
  };
  for (const Layer layer :
       {Layer::driver, Layer::kernel, Layer::program, Layer::uncharged, Layer::elsewhere}) {
    add(std::string(name(layer)), sum_of_rows(timeline, [&](const Timeline::Row& row) {
          return row.layer == layer && !row.with_program && trials_cpus.contains(row.cpu);
        }));
    if (layer == Layer::driver)
      add("kernel+program", sum_of_rows(timeline, [](const Timeline::Row& row) { return row.with_program; }));
  }
  return out;
}

std::vector<Stacked> stacked_layers(const Timeline& timeline) {
  if (timeline.in_time) return stacked_in_time(timeline);
  std::vector<Stacked> out;
  for (const Layer layer : kLayers)
    out.push_back({std::string(name(layer)),
                   sum_of_rows(timeline, [&](const Timeline::Row& row) { return row.layer == layer; })});
  return out;
}

// What was done in a slice: what the guests told at its end; on the real host what their devices carried,
// both directions. `lo` counts a packet as sent and as received.
std::uint64_t done_in(const Timeline& timeline, std::size_t slice, bool exchanges) {
  std::uint64_t done = 0;
  for (const auto& guest : timeline.work) done += exchanges ? guest.transactions[slice] : guest.bytes[slice];
  for (const auto& device : timeline.devices) {
    done += exchanges ? device.received_packets[slice] : device.received_bytes[slice];
    if (device.device != "lo") done += exchanges ? device.sent_packets[slice] : device.sent_bytes[slice];
  }
  return done;
}

// By slice: its end, the work done in it, and the cost by layer; on the real host in time, the work as
// packets or bytes of the devices.
void write_timeline(JsonWriter& json, const PageData& data, const Cell& cell) {
  const auto found = data.timelines.find(cell.factors);
  if (found == data.timelines.end()) return;
  const Timeline& timeline = found->second;
  const bool exchanges = cell.cost()->work.transactions.value > 0;
  const auto write_column = [&](const std::vector<std::uint64_t>& column) {
    json.begin_array();
    for (const std::uint64_t value : column) json.value(value);
    json.end_array();
  };
  json.key("timeline").begin_object().field("in_time", timeline.in_time).field("exchanges", exchanges);
  json.key("end_ns");
  write_column(timeline.end_ns);
  json.key("done").begin_array();
  for (std::size_t slice = 0; slice < timeline.end_ns.size(); ++slice)
    json.value(done_in(timeline, slice, exchanges));
  const auto stacked = stacked_layers(timeline);
  json.end_array().key("names").begin_array();
  for (const Stacked& one : stacked) json.value(one.name);
  json.end_array().key("layers").begin_array();
  for (const Stacked& one : stacked) write_column(one.cost);
  std::uint64_t dropped = 0;
  for (const auto& device : timeline.devices)
    for (const std::uint64_t packets : device.dropped_packets) dropped += packets;
  json.end_array().field("dropped", dropped).end_object();
}

void write_cell(JsonWriter& json, const PageData& data, const Comparison& comparison, const Cell& cell) {
  const WindowCost& cost = *cell.cost();
  const auto units = units_of(cost.work);
  json.line().begin_object().field("platform", printable(cell.platform()));
  json.field("runs", static_cast<std::uint64_t>(cell.runs.size())).field("identical", cell.identical);
  json.field("total", cost.total);
  write_places(json, cost);
  write_guests(json, cost);
  write_measured(json, cell);
  write_timeline(json, data, cell);
  if (data.speed && *data.speed)
    write_capacity(json, "capacity", cost, **data.speed,
                   units.empty() ? "" : rate_noun(units.front(), cell.workload()));
  write_range(json, "sensitivity", sensitivity(cell));
  write_range(json, "tax_sensitivity", tax_sensitivity(comparison, cell));
  if (const auto interval = units.empty() ? std::nullopt : cost_interval(cell, units.front()))
    json.field("interval_name", name_of(*interval));
  if (const auto test = against_native(comparison, cell))
    json.field("against_native", test->is_too_few ? "too few" : test->is_shown() ? "differs" : "~");
  write_per_unit(json, comparison, cell);
  write_optional(json, "tax", units.empty() ? std::nullopt : tax(comparison, cell, units.front()));
  json.field("packets", cost.work.packets.value);
  write_functions(json, data, cell);
  json.end_object();
}

// Of which anything was measured, as many as the page holds, those of the answer among them.
void choose_shown(PageData& data) {
  const auto cells_of = [](const Comparison& comparison) {
    return static_cast<std::size_t>(std::count_if(comparison.cells.begin(), comparison.cells.end(),
                                                  [](const Cell* cell) { return cell->cost() != nullptr; }));
  };
  std::set<const Comparison*> first;
  for (const WorkloadAnswer& one : data.answers) first.insert(one.typical);
  std::size_t room = kMostCells;
  for (const Comparison* one : first) room -= std::min(room, cells_of(*one));
  for (const Comparison& comparison : data.comparisons) {
    const std::size_t cells = cells_of(comparison);
    if (cells == 0) continue;
    const bool is_first = first.contains(&comparison), fits = is_first || cells <= room;
    if (fits && !is_first) room -= cells;
    if (fits) data.shown.push_back(&comparison);
    (fits ? data.shown_cells : data.left_out_cells) += cells;
  }
}

void write_comparisons(JsonWriter& json, const PageData& data) {
  json.key("comparisons").begin_array();
  for (const Comparison* comparison : data.shown) {
    const auto& varying = data.costs.varying.of(comparison->factors.at("workload"));
    json.line().begin_object().field("name", full_phrase(comparison->factors, varying));
    std::string_view unit = "window";
    for (const Cell* cell : comparison->cells) {
      if (cell->cost() && !units_of(cell->cost()->work).empty())
        unit = name(units_of(cell->cost()->work).front());
    }
    json.field("unit", unit);
    json.field("transaction", noun(Unit::transaction, comparison->factors.at("workload")));
    json.key("cells").begin_array();
    for (const Cell* cell : comparison->cells) {
      if (cell->cost()) write_cell(json, data, *comparison, *cell);
    }
    json.end_array().end_object();
  }
  json.end_array().key("headline");
  if (data.answers.empty()) {
    json.null();
    return;
  }
  const WorkloadAnswer& first = data.answers.front();
  const auto place = std::find(data.shown.begin(), data.shown.end(), first.typical) - data.shown.begin();
  json.begin_object().field("comparison", static_cast<std::uint64_t>(place));
  json.field("unit", name(first.unit))
      .field("platform", printable(first.dearest().cell->platform()))
      .end_object();
}

void write_offered(JsonWriter& json, const PageData& data) {
  json.key("offered").begin_array();
  for (const OfferedSeries& one : data.offered) {
    const auto& varying = data.costs.varying.of(one.factors.at("workload"));
    json.line().begin_object().field("name", full_phrase(one.factors, varying)).key("points").begin_array();
    for (const Cell* cell : one.cells) {
      const auto load = offered_load(*cell, **data.speed);
      if (!load) continue;
      json.begin_object().field("platform", printable(cell->platform())).field("offered", load->offered);
      json.field("possible", load->possible())
          .field("most", load->most)
          .field("unit", rate_noun(load->unit, cell->workload()));
      json.field("busiest", load->busiest).field("busy", load->busiest_part).field("cpus", load->cpus);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_models(JsonWriter& json, const PageData& data) {
  json.field("model", printable(data.model, 200)).key("message_models").begin_array();
  const auto names = names_of(data.models);
  for (std::size_t which = 0; which < data.models.size(); ++which) {
    const MessageModel& model = data.models[which];
    json.line().begin_object();
    json.field("name", names[which]);
    json.key("sizes").begin_array();
    for (const double size : model.sizes) json.value(size);
    json.end_array().key("terms").begin_array();
    for (const TermCost& term : model.terms) {
      json.begin_object()
          .field("name", printable(term.name) + (term.grows ? "(S)" : ""))
          .key("costs")
          .begin_array();
      for (const double cost : term.costs) json.value(cost);
      json.end_array().field("constant", term.fit->constant).field("per_kilobyte", term.slope_per_kilobyte());
      write_optional(json, "r_squared", term.fit->r_squared);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

// Whether the study is about a message's cost by its size.
bool asks_for_terms(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  return settings.is_object() && settings.value("terms", nlohmann::json()) == true;
}

Result<> add_models(RunReader& reader, const std::optional<TermTable>& terms, PageData& data) {
  if (!terms && !asks_for_terms(reader.header())) return {};
  const auto table = terms ? Result<TermTable>(*terms) : TermTable::built_in();
  if (!table) return fail(table.error());
  data.model = table->model();
  // A run without several sizes has no such model, and the page no such section.
  if (auto models = message_models(reader, *table)) data.models = std::move(*models);
  if (data.models.size() > kMostModels) data.models.resize(kMostModels);
  return {};
}

}  // namespace

Result<PageData> read_page_data(RunReader& reader, const std::optional<TermTable>& terms) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  PageData data;
  data.costs = std::move(*costs);
  data.comparisons = comparisons_of(data.costs);
  data.answers = answers_of(data.costs, data.comparisons);
  choose_shown(data);
  data.speed = machine_speed(reader.header(), data.costs);
  if (data.speed && *data.speed) data.offered = offered_series(data.costs);
  if (data.offered.size() > kMostSeries) data.offered.resize(kMostSeries);
  std::map<Factors, const Cell*> cells;
  for (const Comparison* comparison : data.shown)
    for (const Cell* cell : comparison->cells) cells[cell->factors] = cell;
  const std::size_t most_functions = std::clamp(kMostFunctionsOfPage / std::max<std::size_t>(cells.size(), 1),
                                                kLeastFunctionsOfCell, kMostFunctionsOfCell);
  // Of a provenance that is new, and of each shown cell the median run.
  const auto is_wanted = [&](const Trial& trial) {
    const bool is_new =
        std::find(data.provenance.begin(), data.provenance.end(), trial.provenance) == data.provenance.end();
    if (is_new && data.provenance.size() < kMostProvenance) data.provenance.push_back(trial.provenance);
    if (!trial.error.empty() || is_perturbed(trial)) return false;
    const auto found = cells.find(cell_factors(trial));
    return found != cells.end() && found->second->cost() != nullptr &&
           found->second->cost()->digest == trial.digest;
  };
  auto read = reader.for_each(RunReader::Detail::all, is_wanted, [&](const Trial& trial) {
    const Factors factors = cell_factors(trial);
    if (!trial.timeline.empty() && data.timelines.size() < kMostTimelines)
      data.timelines.try_emplace(factors, trial.timeline);
    auto functions = trial.functions;
    std::stable_sort(functions.begin(), functions.end(), [](const FunctionCost& a, const FunctionCost& b) {
      return a.instructions > b.instructions;
    });
    const std::size_t kept = std::min(most_functions, functions.size());
    const std::uint64_t more = functions.size() - kept;
    functions.resize(kept);
    data.functions.try_emplace(factors, std::move(functions), more);
    return Result<>();
  });
  if (!read) return fail(read.error());
  if (auto added = add_models(reader, terms, data); !added) return fail(added.error());
  return data;
}

const Cell* PageData::headline_cell() const {
  if (!answers.empty()) return answers.front().dearest().cell;
  for (const Comparison* comparison : shown)
    for (const Cell* cell : comparison->cells)
      if (cell->cost() != nullptr) return cell;
  return nullptr;
}

std::string layer_and_part(const FunctionCost& cost) {
  if (cost.part == Part::none) return std::string(name(cost.layer));
  return fmt::format("{} {}", name(cost.layer), name(cost.part));
}

void write_page_data(const Run& header, const PageData& data, std::ostream& out) {
  JsonWriter json(out, JsonWriter::Lines::several, JsonWriter::Harmful::replaced);
  json.begin_object().field("study", printable(header.study, 200)).field("cost", unit_of_cost(data.costs));
  json.key("layers").begin_array();
  for (const Layer layer : kLayers) json.value(name(layer));
  json.end_array();
  write_comparisons(json, data);
  write_offered(json, data);
  write_claims(json, header, data.costs);
  write_models(json, data);
  json.end_object();
}

}  // namespace vtax
