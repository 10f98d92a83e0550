#include "report/openmetrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>

#include "core/harmless.h"
#include "report/cell.h"
#include "report/repetitions.h"
#include "report/verdict.h"

namespace vtax {
namespace {

// What metrics with a cell's labels add to them.
constexpr std::array<std::string_view, 6> kOwnLabels{"layer", "domain", "unit", "event", "count", "bound"};

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : printable_text(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

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
    text_ += fmt::format("{}{}=\"{}\"", text_.empty() ? "" : ",", name, label_value(value));
  }
  std::string text_;
};

class Exposition {
 public:
  explicit Exposition(std::ostream& out) : out_(out) {}

  void begin(std::string_view metric, std::string_view help) {
    metric_ = metric;
    out_ << fmt::format("# TYPE {0} gauge\n# HELP {0} {1}\n", metric, help);
  }
  template <class Number>
  void sample(const Labels& labels, Number value) {
    out_ << fmt::format("{}{} {}\n", metric_, labels.text(), value);
  }
  void end() { out_ << "# EOF\n"; }

 private:
  std::ostream& out_;
  std::string metric_;
};

using EachCell = std::function<void(const Comparison&, const Cell&, const Labels&)>;

// Each once: some stand in several comparisons.
void for_cells(const std::vector<Comparison>& comparisons, const EachCell& use) {
  std::set<const Cell*> seen;
  for (const Comparison& comparison : comparisons) {
    for (const Cell* cell : comparison.cells) {
      if (cell->cost && seen.insert(cell).second) use(comparison, *cell, Labels(cell->factors));
    }
  }
}

bool has_hardware(const Comparison& comparison) {
  return std::any_of(comparison.cells.begin(), comparison.cells.end(),
                     [](const Cell* cell) { return cell->cost && cell->cost->hardware; });
}

void write_cells(Exposition& text, const std::vector<Comparison>& comparisons, bool is_time) {
  // Prometheus counts time in seconds.
  const double scale = is_time ? 1e-9 : 1;
  text.begin(is_time ? "vtax_window_cpu_seconds" : "vtax_window_instructions",
             "Cost of the measured window by domain and layer; instructions are exact.");
  for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
    for (const auto& [domain, layers] : cell.cost->domains) {
      for (const Layer layer : kLayers) {
        const std::uint64_t count = layers[static_cast<std::size_t>(layer)];
        if (count > 0)
          text.sample(labels.with("domain", domain).with("layer", name(layer)),
                      static_cast<double>(count) * scale);
      }
    }
  });
  text.begin(is_time ? "vtax_cpu_seconds_per_unit" : "vtax_instructions_per_unit",
             "Cost per unit of work, all layers together.");
  for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
    for (const Unit unit : units_of(cell.cost->work)) {
      if (const auto cost = per_unit(cell.cost->total, cell.cost->work, unit))
        text.sample(labels.with("unit", name(unit)), *cost * scale);
    }
  });
  const auto bounds = [&](const Labels& labels, const std::optional<Interval>& interval, double by) {
    if (!interval) return;
    text.sample(labels.with("bound", "low"), interval->low * by);
    text.sample(labels.with("bound", "high"), interval->high * by);
  };
  text.begin(is_time ? "vtax_cpu_seconds_per_unit_interval" : "vtax_instructions_per_unit_interval",
             "Interval of the cost's median over the repetitions, at 95 %, of five at 94 %.");
  for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
    for (const Unit unit : units_of(cell.cost->work)) {
      if (const auto interval = cost_interval(cell, unit))
        bounds(labels.with("unit", name(unit)), interval->range, scale);
    }
  });
  text.begin("vtax_repetitions", "Finished repetitions of the cell.");
  for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
    text.sample(labels, cell.runs.size());
  });
  text.begin("vtax_tax", "Cost per unit of work relative to native, other factors equal.");
  for_cells(comparisons, [&](const Comparison& comparison, const Cell& cell, const Labels& labels) {
    for (const Unit unit : units_of(cell.cost->work)) {
      if (const auto t = tax(comparison, cell, unit)) text.sample(labels.with("unit", name(unit)), *t);
    }
  });
  text.begin("vtax_tax_interval", "Interval of the tax over the repetitions, at 95 %.");
  for_cells(comparisons, [&](const Comparison& comparison, const Cell& cell, const Labels& labels) {
    for (const Unit unit : units_of(cell.cost->work))
      bounds(labels.with("unit", name(unit)), tax_interval(comparison, cell, unit), 1);
  });
  text.begin("vtax_window_events", "Events of the measured window.");
  for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
    for (const auto& [event, count] : cell.cost->events) text.sample(labels.with("event", event), count);
  });
  if (std::any_of(comparisons.begin(), comparisons.end(), has_hardware)) {
    text.begin("vtax_window_hardware", "Hardware counters of the measured window by layer.");
    for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
      if (!cell.cost->hardware) return;
      for (const Layer layer : kCountedLayers) {
        const auto place = static_cast<std::size_t>(layer);
        for (const auto& [count, value] :
             {std::pair("cycles", cell.cost->hardware->cycles[place]),
              std::pair("instructions", cell.cost->hardware->instructions[place])})
          if (value > 0) text.sample(labels.with("layer", name(layer)).with("count", count), value);
      }
    });
  }
  text.begin("vtax_window_work", "Work of the measured window: bytes, packets, transactions.");
  for_cells(comparisons, [&](const Comparison&, const Cell& cell, const Labels& labels) {
    const Work& work = cell.cost->work;
    for (const auto& [unit, count] :
         {std::pair("bytes", work.bytes.value), std::pair("packets", work.packets.value),
          std::pair("transactions", work.transactions.value)}) {
      if (count > 0) text.sample(labels.with("unit", unit), count);
    }
  });
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
  write_cells(text, comparisons_of(*costs), in_time(*costs));
  write_judged(text, run, *costs);
  text.end();
  return {};
}

}  // namespace vtax
