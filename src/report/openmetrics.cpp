#include "report/openmetrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/metric_label.h"
#include "query/cell.h"
#include "query/measured.h"
#include "query/repetitions.h"
#include "report/verdict.h"

namespace vtax {
namespace {

// What metrics with a cell's labels add to them.
constexpr std::array<std::string_view, 9> kOwnLabels{"layer", "domain", "unit",  "event",     "count",
                                                     "bound", "cpu",    "guest", "percentile"};

bool is_label_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), fits) &&
         name.find("__") == std::string_view::npos && !name.starts_with("factor_");
}

// Any text as a label's name, different for different texts.
std::string label_name(const std::string& factor) {
  if (is_label_name(factor) && std::find(kOwnLabels.begin(), kOwnLabels.end(), factor) == kOwnLabels.end())
    return factor;
  std::string out = "factor_";
  for (const char c : factor) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    out += is_plain ? std::string(1, c) : fmt::format("_x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

class Labels {
 public:
  Labels() = default;
  explicit Labels(const Factors& factors) {
    for (const auto& [name, value] : factors) add(label_name(name), value);
  }
  [[nodiscard]] Labels with(std::string_view name, std::string_view value) const {
    Labels out = *this;
    out.add(name, value);
    return out;
  }
  [[nodiscard]] std::string text() const { return text_.empty() ? "" : "{" + text_ + "}"; }

 private:
  void add(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}{}=\"{}\"", text_.empty() ? "" : ",", name, metric_label(value));
  }
  std::string text_;
};

class Exposition {
 public:
  explicit Exposition(std::ostream& out) : out_(out) {}

  // A metric's name ends in its unit, where it has one.
  void begin(std::string_view metric, std::string_view help, std::string_view unit = "") {
    metric_ = metric;
    out_ << fmt::format("# TYPE {} gauge\n", metric);
    if (!unit.empty()) out_ << fmt::format("# UNIT {} {}\n", metric, unit);
    out_ << fmt::format("# HELP {} {}\n", metric, help);
  }
  template <class Number>
  void sample(const Labels& labels, Number value) {
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{}{} {}\n", metric_, labels.text(), value);
    out_.write(line_.data(), static_cast<std::streamsize>(line_.size()));
  }
  void end() { out_ << "# EOF\n"; }

 private:
  std::ostream& out_;
  std::string metric_;
  fmt::memory_buffer line_;
};

// A cell that has a cost; each once, though some stand in several comparisons.
struct LabelledCell {
  const Comparison& comparison;
  const Cell& cell;
  Labels labels;
};

std::vector<LabelledCell> labelled(const std::vector<Comparison>& comparisons) {
  std::vector<LabelledCell> out;
  std::unordered_set<const Cell*> seen;
  for (const Comparison& comparison : comparisons)
    for (const Cell* cell : comparison.cells)
      if (cell->cost() && seen.insert(cell).second) out.push_back({comparison, *cell, Labels(cell->factors)});
  return out;
}

void sample_bounds(Exposition& text, const Labels& labels, const std::optional<Interval>& interval,
                   double by) {
  if (!interval) return;
  text.sample(labels.with("bound", "low"), interval->low * by);
  text.sample(labels.with("bound", "high"), interval->high * by);
}

// A figure of all repetitions of a cell, with what tells it from the cell's others.
struct MeasuredFigure {
  Labels labels;
  Spread spread;
};
using FiguresOf = std::function<std::vector<MeasuredFigure>(const Cell&, const Labels&)>;

struct MeasuredMetric {
  std::string_view name, help, unit;
  double scale = 1;  // to the metric's unit
  FiguresOf figures;
};

FiguresOf one_figure(std::optional<Spread> (*spread_of_cell)(const Cell&)) {
  return [spread_of_cell](const Cell& cell, const Labels& labels) {
    const auto spread = spread_of_cell(cell);
    return spread ? std::vector{MeasuredFigure{labels, *spread}} : std::vector<MeasuredFigure>();
  };
}

FiguresOf rates_of_guests(Unit unit) {
  return [unit](const Cell& cell, const Labels& labels) {
    std::vector<MeasuredFigure> out;
    for (const GuestRates& one : guest_rates_of(cell))
      if (one.unit == unit) out.push_back({labels.with("guest", one.guest), one.per_second});
    return out;
  };
}

std::vector<MeasuredFigure> busy_figures(const Cell& cell, const Labels& labels) {
  std::vector<MeasuredFigure> out;
  for (const BusyShare& one : busy_shares(cell))
    out.push_back({labels.with("cpu", std::to_string(one.cpu)).with("domain", one.domain), one.share});
  return out;
}

std::vector<MeasuredFigure> latency_figures(const Cell& cell, const Labels& labels) {
  const auto latency = latency_of(cell);
  if (!latency) return {};
  std::vector<MeasuredFigure> out;
  for (const auto& [percentile, spread] :
       {std::pair("50", latency->p50_ns), std::pair("90", latency->p90_ns), std::pair("99", latency->p99_ns),
        std::pair("99.9", latency->p999_ns), std::pair("100", latency->most_ns)})
    out.push_back({labels.with("percentile", percentile), spread});
  return out;
}

// What the windows show by the machine's clock: of each the median over the repetitions, and its interval.
void write_measured(Exposition& text, const std::vector<LabelledCell>& cells) {
  const std::vector<MeasuredMetric> metrics{
      {"vtax_payload_bytes_per_second", "Payload by the machine's clock.", "bytes_per_second", 1,
       one_figure(payload_rate_of)},
      {"vtax_transactions_per_second", "Transactions by the machine's clock.", "transactions_per_second", 1,
       one_figure(transaction_rate_of)},
      {"vtax_latency_seconds", "Percentiles of all requests, of the slowest guest; 100 is the longest wait.",
       "seconds", 1e-9, latency_figures},
      {"vtax_busy_ratio", "Share of the window in which a CPU executed for a domain.", "ratio", 1,
       busy_figures},
      {"vtax_guest_payload_bytes_per_second", "Payload of each guest by its own time.", "bytes_per_second", 1,
       rates_of_guests(Unit::kilobyte)},
      {"vtax_guest_transactions_per_second", "Transactions of each guest by its own time.",
       "transactions_per_second", 1, rates_of_guests(Unit::transaction)},
      {"vtax_fairness_ratio", "Jain's index of the guests' rates: 1 is all alike.", "ratio", 1,
       one_figure(fairness_of)}};
  for (const MeasuredMetric& metric : metrics) {
    bool has_any = false, has_interval = false;
    for (const auto& [comparison, cell, labels] : cells) {
      for (const MeasuredFigure& figure : metric.figures(cell, labels)) {
        if (!has_any) text.begin(metric.name, metric.help, metric.unit);
        has_any = true;
        has_interval = has_interval || figure.spread.interval;
        text.sample(figure.labels, figure.spread.median * metric.scale);
      }
    }
    if (!has_interval) continue;
    text.begin(std::string(metric.name) + "_interval",
               "Interval of the median over the repetitions, at 95 %, of five at 94 %.");
    for (const auto& [comparison, cell, labels] : cells) {
      for (const MeasuredFigure& figure : metric.figures(cell, labels))
        if (figure.spread.interval)
          sample_bounds(text, figure.labels, figure.spread.interval->range, metric.scale);
    }
  }
}

bool has_hardware(const LabelledCell& one) {
  return one.cell.cost()->hardware.has_value();
}

// One sentence: a metric's help.
std::string_view origin_of_costs(const RunCosts& costs) {
  if (in_time(costs)) return "CPU time is as measured.";
  return costs.is_exact ? "instructions are exact."
                        : "simulated, not measured: instructions are what one guest cost in the lab.";
}

void write_cells(Exposition& text, const std::vector<LabelledCell>& cells, const RunCosts& costs) {
  const bool is_time = in_time(costs);
  // Prometheus counts time in seconds.
  const double scale = is_time ? 1e-9 : 1;
  text.begin(is_time ? "vtax_window_cpu_seconds" : "vtax_window_instructions",
             fmt::format("Cost of the window by domain and layer; {}", origin_of_costs(costs)),
             is_time ? "seconds" : "instructions");
  for (const auto& [comparison, cell, labels] : cells) {
    for (const auto& [domain, layers] : cell.cost()->domains) {
      for (const Layer layer : kLayers) {
        const std::uint64_t count = layers[static_cast<std::size_t>(layer)];
        if (count > 0)
          text.sample(labels.with("domain", domain).with("layer", name(layer)),
                      static_cast<double>(count) * scale);
      }
    }
  }
  text.begin(is_time ? "vtax_cpu_seconds_per_unit" : "vtax_instructions_per_unit",
             "Cost per unit of work, all layers together.");
  for (const auto& [comparison, cell, labels] : cells) {
    for (const Unit unit : units_of(cell.cost()->work)) {
      if (const auto cost = per_unit(cell.cost()->total, cell.cost()->work, unit))
        text.sample(labels.with("unit", name(unit)), *cost * scale);
    }
  }
  text.begin(is_time ? "vtax_cpu_seconds_per_unit_interval" : "vtax_instructions_per_unit_interval",
             "Interval of the cost's median over the repetitions, at 95 %, of five at 94 %.");
  for (const auto& [comparison, cell, labels] : cells) {
    for (const Unit unit : units_of(cell.cost()->work)) {
      if (const auto interval = cost_interval(cell, unit))
        sample_bounds(text, labels.with("unit", name(unit)), interval->range, scale);
    }
  }
  text.begin("vtax_repetitions", "Finished repetitions of the cell.");
  for (const auto& [comparison, cell, labels] : cells) {
    text.sample(labels, cell.runs.size());
  }
  text.begin("vtax_tax", "Cost per unit of work relative to native, other factors equal.");
  for (const auto& [comparison, cell, labels] : cells) {
    for (const Unit unit : units_of(cell.cost()->work)) {
      if (const auto t = tax(comparison, cell, unit)) text.sample(labels.with("unit", name(unit)), *t);
    }
  }
  text.begin("vtax_tax_interval", "Interval of the tax over the repetitions, at 95 %.");
  for (const auto& [comparison, cell, labels] : cells) {
    for (const Unit unit : units_of(cell.cost()->work))
      sample_bounds(text, labels.with("unit", name(unit)), tax_interval(comparison, cell, unit), 1);
  }
  text.begin("vtax_window_events", "Events of the measured window.");
  for (const auto& [comparison, cell, labels] : cells) {
    for (const auto& [event, count] : cell.cost()->events) text.sample(labels.with("event", event), count);
  }
  if (std::any_of(cells.begin(), cells.end(), has_hardware)) {
    text.begin("vtax_window_hardware", "Hardware counters of the measured window by layer.");
    for (const auto& [comparison, cell, labels] : cells) {
      if (!cell.cost()->hardware) continue;
      for (const Layer layer : kCountedLayers) {
        const auto place = static_cast<std::size_t>(layer);
        for (const auto& [count, value] :
             {std::pair("cycles", cell.cost()->hardware->cycles[place]),
              std::pair("instructions", cell.cost()->hardware->instructions[place])})
          if (value > 0) text.sample(labels.with("layer", name(layer)).with("count", count), value);
      }
    }
  }
  text.begin("vtax_window_work", "Work of the measured window: bytes, packets, transactions.");
  for (const auto& [comparison, cell, labels] : cells) {
    const Work& work = cell.cost()->work;
    for (const auto& [unit, count] :
         {std::pair("bytes", work.bytes.value), std::pair("packets", work.packets.value),
          std::pair("transactions", work.transactions.value)}) {
      if (count > 0) text.sample(labels.with("unit", unit), count);
    }
  }
}

void write_judged(Exposition& text, const Run& run, const RunCosts& costs) {
  const auto published = published_of(run);
  if (!published || !*published) return;
  const auto judged = judge(**published, run, costs);
  text.begin("vtax_claim_measured", "What this run measured of a published claim, in the claim's unit.");
  for (const JudgedClaim& j : judged) {
    if (j.measured) text.sample(Labels().with("claim", j.claim->id), *j.measured);
  }
  text.begin("vtax_claim_interval", "Interval of what this run measured of a claim, over the repetitions.");
  for (const JudgedClaim& j : judged) {
    if (!j.interval) continue;
    text.sample(Labels().with("claim", j.claim->id).with("bound", "low"), j.interval->low);
    text.sample(Labels().with("claim", j.claim->id).with("bound", "high"), j.interval->high);
  }
  text.begin("vtax_claim_verdict", "The verdict of each published claim.");
  for (const JudgedClaim& j : judged)
    text.sample(Labels().with("claim", j.claim->id).with("verdict", name(j.verdict)), 1);
}

}  // namespace

Result<> write_openmetrics(RunReader& reader, std::ostream& out) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  const Run& run = reader.header();
  Exposition text(out);
  text.begin("vtax_run", "The run that the other metrics are of.");
  text.sample(
      Labels().with("study", run.study).with("vtax", run.vtax_version).with("started_utc", run.started_utc),
      1);
  text.begin("vtax_trials", "Trials of the study's plan by state.");
  text.sample(Labels().with("state", "planned"), run.planned_trials);
  text.sample(Labels().with("state", "finished"), costs->finished);
  text.sample(Labels().with("state", "failed"), costs->failed.size());
  const auto comparisons = comparisons_of(*costs);
  const auto cells = labelled(comparisons);
  write_cells(text, cells, *costs);
  write_measured(text, cells);
  write_judged(text, run, *costs);
  text.end();
  return {};
}

}  // namespace vtax
