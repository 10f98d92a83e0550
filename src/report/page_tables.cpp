#include "report/page_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "core/readable.h"
#include "model/offered_load.h"
#include "query/cost_text.h"
#include "query/measured.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/cell_text.h"
#include "report/html_table.h"
#include "report/verdict.h"

namespace vtax {
namespace {

using Kind = HtmlTable::Kind;
using Columns = std::vector<HtmlTable::Column>;

constexpr std::size_t kMostFailed = 1000;
constexpr std::size_t kMostFunctionRows = 60;  // the flame graph has more

std::string work_of_page(const PageData& data, const Comparison& comparison) {
  return full_phrase(comparison.factors, data.costs.varying.of(comparison.factors.at("workload")));
}

// Each cell that has a cost, with its comparison and what that is called.
void for_shown(const PageData& data,
               const std::function<void(const Comparison&, const Cell&, const std::string&)>& use) {
  for (const Comparison* comparison : data.shown) {
    const std::string work = work_of_page(data, *comparison);
    for (const Cell* cell : comparison->cells)
      if (cell->cost() != nullptr) use(*comparison, *cell, work);
  }
}

Columns with_work(Columns more) {
  Columns out{{"work", Kind::work}, {"platform", Kind::text}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::string interval_text(const std::optional<Interval>& range) {
  return range ? fmt::format("{} to {}", readable(range->low), readable(range->high)) : "";
}

// In the unit that is shown.
std::string interval_text(const Spread& spread, double scale) {
  if (!spread.interval) return "";
  return interval_text(Interval{spread.interval->range.low * scale, spread.interval->range.high * scale});
}

void paragraph(std::ostream& out, std::string_view text) {
  out << "<p class=\"note\">" << escaped_html(text) << "</p>\n";
}

void write_left_out(std::ostream& out, const PageData& data) {
  if (data.left_out_cells > 0)
    paragraph(
        out,
        fmt::format("This page holds {} of {} cells; {} are left out of its tables and pictures. All "
                    "of them: vtax report --format table, json, csv or openmetrics.",
                    with_thousands(data.shown_cells), with_thousands(data.shown_cells + data.left_out_cells),
                    with_thousands(data.left_out_cells)));
}

std::optional<Unit> first_unit(const Cell& cell) {
  const auto units = units_of(cell.cost()->work);
  return units.empty() ? std::nullopt : std::optional(units.front());
}

void write_costs_per(std::ostream& out, const PageData& data, Unit unit, std::string_view its_noun) {
  Columns columns;
  for (const Layer layer : kLayers) columns.push_back({std::string(name(layer))});
  columns.insert(
      columns.end(),
      {{"total"}, {"interval", Kind::text}, {"tax"}, {"interval of the tax", Kind::text}, {"runs"}});
  HtmlTable table(out, fmt::format("Cost per {}", its_noun), with_work(columns));
  for_shown(data, [&](const Comparison& comparison, const Cell& cell, const std::string& work) {
    const WindowCost& cost = *cell.cost();
    const auto units = units_of(cost.work);
    if (noun(unit, cell.workload()) != its_noun || std::find(units.begin(), units.end(), unit) == units.end())
      return;
    table.begin_row();
    table.text(work).text(printable(cell.platform()));
    for (const Layer layer : kLayers) {
      const auto each = per_unit(cost.of(layer), cost.work, unit);
      if (layer == Layer::uncharged)
        table.shown(fmt::format("{} ({})", cost_text(each.value_or(0), cost.in_time),
                                share_text(cost.of(layer), cost.total)),
                    each);
      else
        table.shown(each ? cost_text(*each, cost.in_time) : "–", each);
    }
    const auto total = per_unit(cost.total, cost.work, unit);
    table.shown(total ? cost_text(*total, cost.in_time) : "–", total);
    const auto interval = cost_interval(cell, unit);
    table.text(interval ? fmt::format("{} to {}", cost_text(interval->range.low, cost.in_time),
                                      cost_text(interval->range.high, cost.in_time))
                        : "");
    const auto its_tax = tax(comparison, cell, unit);
    table.shown(its_tax ? marked_tax(comparison, cell, unit) : "–", its_tax);
    const auto taxes = tax_interval(comparison, cell, unit);
    table.text(taxes ? fmt::format("{:.2f} to {:.2f}", taxes->low, taxes->high) : "");
    table.whole(cell.runs.size());
    table.end_row();
  });
}

void write_rate_table(std::ostream& out, const PageData& data) {
  HtmlTable table(out, "Measured rates and latencies",
                  with_work({{"rate"},
                             {"unit", Kind::text},
                             {"interval", Kind::text},
                             {"p50, us"},
                             {"p90, us"},
                             {"p99, us"},
                             {"p99.9, us"},
                             {"longest, us"},
                             {"interval of p99", Kind::text},
                             {"fairness"}}));
  for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
    const auto rate = rate_of(cell);
    const auto unit = first_unit(cell);
    if (!rate || !unit) return;
    constexpr double kUs = 1e-3;
    table.begin_row();
    table.text(work).text(printable(cell.platform())).number(rate->median);
    table.text(rate_noun(*unit, cell.workload())).text(interval_text(*rate, 1));
    const auto latency = latency_of(cell);
    for (const Spread Latency::*one :
         {&Latency::p50_ns, &Latency::p90_ns, &Latency::p99_ns, &Latency::p999_ns, &Latency::most_ns})
      table.number(latency ? std::optional(((*latency).*one).median * kUs) : std::nullopt);
    table.text(latency ? interval_text(latency->p99_ns, kUs) : "");
    const auto fairness = fairness_of(cell);
    table.shown(fairness ? fmt::format("{:.3f}", fairness->median) : "–",
                fairness ? std::optional(fairness->median) : std::nullopt);
    table.end_row();
  });
}

void write_busy_table(std::ostream& out, const PageData& data) {
  HtmlTable table(out, "How busy each CPU was, by domain",
                  with_work({{"CPU"}, {"domain", Kind::text}, {"busy, %"}, {"interval", Kind::text}}));
  for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
    constexpr double kPercent = 100;
    for (const BusyShare& one : busy_shares(cell)) {
      table.begin_row();
      table.text(work).text(printable(cell.platform())).whole(static_cast<std::uint64_t>(one.cpu));
      table.text(printable(one.domain)).number(one.share.median * kPercent);
      table.text(interval_text(one.share, kPercent));
      table.end_row();
    }
  });
}

void write_guest_table(std::ostream& out, const PageData& data) {
  HtmlTable table(
      out, "What each guest did",
      with_work(
          {{"guest", Kind::text}, {"bytes"}, {"transactions"}, {"ms"}, {"rate"}, {"unit", Kind::text}}));
  for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
    if (cell.cost()->guests.size() < 2) return;
    for (const GuestWork& guest : cell.cost()->guests) {
      const auto rate = rate_of(*cell.cost(), guest);
      table.begin_row();
      table.text(work).text(printable(cell.platform())).text(printable(guest.guest));
      table.whole(guest.bytes.value).whole(guest.transactions.value);
      table.number(static_cast<double>(guest.virtual_ns) * 1e-6);
      table.number(rate ? std::optional(rate->value) : std::nullopt);
      table.text(rate ? rate_noun(rate->unit, cell.workload()) : "");
      table.end_row();
    }
  });
}

std::string pretty(const std::string& json) {
  const auto parsed = nlohmann::json::parse(json.empty() ? "{}" : json, nullptr, false);
  return parsed.is_discarded() ? json : parsed.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_details(std::ostream& out, std::string_view title, std::string_view text) {
  out << "<details><summary>" << escaped_html(title) << "</summary><pre>" << escaped_html(text)
      << "</pre></details>\n";
}

std::string size_text(double size) {
  return readable_bytes(static_cast<std::uint64_t>(size));
}

void write_claims_table(std::ostream& out, const std::vector<JudgedClaim>& judged) {
  HtmlTable table(out, "Claims and verdicts",
                  {{"claim", Kind::words},
                   {"id", Kind::text},
                   {"published", Kind::text},
                   {"measured"},
                   {"interval", Kind::text},
                   {"verdict", Kind::words},
                   {"quantity", Kind::words},
                   {"source", Kind::words},
                   {"reason", Kind::words}});
  for (const JudgedClaim& j : judged) {
    table.begin_row();
    table.text(j.claim->says).text(j.claim->id).text(published_figure(*j.claim)).number(j.measured);
    table.text(interval_text(j.interval)).text(name(j.verdict)).text(j.claim->quantity);
    table.text(j.claim->source).text(j.reason);
    table.end_row();
  }
}

}  // namespace

bool has_claims(const Run& header) {
  const auto published = published_of(header);
  return !published || published->has_value();
}

bool has_hardware(const PageData& data) {
  return std::any_of(data.shown.begin(), data.shown.end(), [](const Comparison* comparison) {
    return std::any_of(comparison->cells.begin(), comparison->cells.end(),
                       [](const Cell* cell) { return cell->cost() && cell->cost()->hardware; });
  });
}

bool has_functions(const PageData& data) {
  return std::any_of(data.functions.begin(), data.functions.end(),
                     [](const auto& one) { return !one.second.first.empty(); });
}

bool has_measured(const PageData& data) {
  return std::any_of(data.shown.begin(), data.shown.end(), [](const Comparison* comparison) {
    return std::any_of(comparison->cells.begin(), comparison->cells.end(),
                       [](const Cell* cell) { return cell->cost() && rate_of(*cell); });
  });
}

bool has_traffic(const PageData& data) {
  return std::any_of(data.shown.begin(), data.shown.end(), [](const Comparison* comparison) {
    return std::any_of(comparison->cells.begin(), comparison->cells.end(), [](const Cell* cell) {
      return cell->cost() && (!cell->cost()->devices.empty() || !cell->cost()->events.empty());
    });
  });
}

void write_claims_section(std::ostream& out, const Run& header, const PageData& data) {
  const auto published = published_of(header);
  if (!published) {
    paragraph(out, fmt::format("{}: {}", published.error().what, published.error().why));
    return;
  }
  if (!*published) return;
  const auto judged = judge(**published, header, data.costs);
  paragraph(out, fmt::format("{}: {}", (*published)->paper, count_verdicts(judged)));
  if (!(*published)->machine.empty()) paragraph(out, "On: " + (*published)->machine);
  out << "<details class=\"fold\"><summary>Every claim, how it is tested, and why it is not</summary>\n";
  write_claims_table(out, judged);
  out << "</details>\n";
}

void write_terms_tables(std::ostream& out, const PageData& data) {
  if (data.models.empty()) return;
  paragraph(
      out, fmt::format("The terms of {}, read from the exact function profile: each as constant + slope · S, "
                       "by least squares.",
                       printable(data.model, 200)));
  const auto names = names_of(data.models);
  for (std::size_t which = 0; which < data.models.size(); ++which) {
    const MessageModel& model = data.models[which];
    Columns columns{{"term", Kind::text}};
    for (const double size : model.sizes) columns.push_back({size_text(size)});
    columns.insert(columns.end(), {{"constant"}, {"per KB of S"}, {"R²"}});
    out << fmt::format("<div class=\"model\" id=\"model-{}\">\n", which);
    {
      HtmlTable table(out, "Instructions per message of S bytes: " + names[which], columns);
      for (const TermCost& term : model.terms) {
        table.begin_row();
        table.text(printable(term.name) + (term.grows ? "(S)" : ""));
        for (const double cost : term.costs) table.number(cost);
        table.number(term.fit->constant).number(term.slope_per_kilobyte());
        table.shown(term.fit->r_squared ? fmt::format("{:.3f}", *term.fit->r_squared) : "–",
                    term.fit->r_squared);
        table.end_row();
      }
    }
    out << "</div>\n";
  }
}

void write_measured_tables(std::ostream& out, const PageData& data) {
  write_rate_table(out, data);
  write_busy_table(out, data);
  write_guest_table(out, data);
}

void write_rates_tables(std::ostream& out, const PageData& data) {
  if (!data.speed) return;
  if (!*data.speed) {
    paragraph(out, fmt::format("No rates: {}.", data.speed->error().why));
    return;
  }
  paragraph(out,
            fmt::format("Bound: the rate at which the busiest CPU or the wire would be full, by {}. It is "
                        "derived from the cost, not measured: latency and windows can keep the rate lower.",
                        (*data.speed)->basis));
  HtmlTable table(
      out, "Rates that the costs allow",
      with_work({{"bound"}, {"ran at"}, {"unit", Kind::text}, {"station", Kind::text}, {"busy, %"}}));
  for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
    const auto allowed = capacity(*cell.cost(), **data.speed);
    if (!allowed) return;
    for (const Station& station : allowed->stations) {
      table.begin_row();
      table.text(work).text(printable(cell.platform())).number(allowed->rate());
      table.number(measured_rate(*cell.cost())).text(rate_noun(allowed->unit, cell.workload()));
      table.text(station.name).number(100 * station.utilisation);
      table.end_row();
    }
  });
}

void write_offered_tables(std::ostream& out, const PageData& data) {
  if (!data.speed || !*data.speed) return;
  HtmlTable table(out, "Offered and possible",
                  with_work({{"offered"},
                             {"possible"},
                             {"knee"},
                             {"unit", Kind::text},
                             {"busiest", Kind::text},
                             {"busy, %"},
                             {"all CPUs, %"}}));
  for (const OfferedSeries& one : data.offered) {
    const std::string work = full_phrase(one.factors, data.costs.varying.of(one.factors.at("workload")));
    for (const Cell* cell : one.cells) {
      const auto load = offered_load(*cell, **data.speed);
      if (!load) continue;
      constexpr double kPercent = 100;
      table.begin_row();
      table.text(work).text(printable(cell->platform())).number(load->offered).number(load->possible());
      table.number(load->most).text(rate_noun(load->unit, cell->workload())).text(load->busiest);
      table.shown(fmt::format("{:.0f}", kPercent * load->busiest_part), kPercent * load->busiest_part);
      table.shown(fmt::format("{:.0f}", kPercent * load->cpus), kPercent * load->cpus);
      table.end_row();
    }
  }
}

void write_functions_table(std::ostream& out, const PageData& data) {
  const Cell* cell = data.headline_cell();
  if (cell == nullptr) return;
  const auto found = data.functions.find(cell->factors);
  if (found == data.functions.end()) return;
  const auto& [functions, more] = found->second;
  const std::size_t rows = std::min(functions.size(), kMostFunctionRows);
  {
    HtmlTable table(out, "Instructions by function",
                    {{"instructions"},
                     {"%"},
                     {"image", Kind::text},
                     {"domain", Kind::text},
                     {"layer", Kind::text},
                     {"function", Kind::text}});
    for (std::size_t i = 0; i < rows; ++i) {
      const FunctionCost& f = functions[i];
      table.begin_row();
      table.whole(f.instructions.value);
      table.number(100 * static_cast<double>(f.instructions.value) /
                   static_cast<double>(std::max<std::uint64_t>(cell->cost()->total, 1)));
      table.text(printable(f.image)).text(printable(f.domain)).text(layer_and_part(f));
      table.text(printable(f.function, 500));
      table.end_row();
    }
  }
  if (const std::uint64_t rest = more + (functions.size() - rows); rest > 0)
    paragraph(out,
              fmt::format("{} cheaper functions are left out here; vtax report --format profile has all.",
                          with_thousands(rest)));
}

void write_cost_tables(std::ostream& out, const PageData& data) {
  write_left_out(out, data);
  if (const std::string marks = meaning_of_marks(data.comparisons); !marks.empty())
    paragraph(out, "Of the tax: " + marks);
  std::vector<std::pair<Unit, std::string_view>> nouns = nouns_of(data.comparisons);
  for (const auto& [unit, its_noun] : nouns) write_costs_per(out, data, unit, its_noun);
}

void write_hardware_tables(std::ostream& out, const PageData& data) {
  std::string notes;
  {
    Columns columns{{"count", Kind::text}};
    for (const Layer layer : kCountedLayers) columns.push_back({std::string(name(layer))});
    columns.push_back({"total"});
    HtmlTable table(out, "Cycles and instructions", with_work(columns));
    for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
      const WindowCost& cost = *cell.cost();
      const auto unit = first_unit(cell);
      const auto one = unit ? per_unit(1, cost.work, *unit) : std::nullopt;
      if (!cost.hardware || !one) return;
      for (const HardwareLine& line : hardware_lines(*cost.hardware, 1 / *one)) {
        table.begin_row();
        table.text(work).text(printable(cell.platform()));
        table.text(line.is_ratio ? std::string(line.name)
                                 : fmt::format("{} per {}", line.name, noun(*unit, cell.workload())));
        for (const auto& layer : line.layers) table.number(layer);
        table.number(line.total);
        table.end_row();
      }
      if (const std::string text = hardware_notes(*cost.hardware); !text.empty())
        notes += fmt::format("{}, {}: {}. ", printable(cell.platform()), work, text);
    });
  }
  if (!notes.empty()) paragraph(out, notes);
}

void write_traffic_tables(std::ostream& out, const PageData& data) {
  {
    HtmlTable table(out, "Packets of each network device",
                    with_work({{"side", Kind::text},
                               {"domain", Kind::text},
                               {"device", Kind::text},
                               {"in"},
                               {"out"},
                               {"bytes in"},
                               {"bytes out"}}));
    for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
      for (const DeviceCount& d : cell.cost()->devices) {
        table.begin_row();
        table.text(work).text(printable(cell.platform())).text(printable(d.side)).text(printable(d.domain));
        table.text(printable(d.device)).whole(d.received.value).whole(d.sent.value);
        table.whole(d.received_bytes.value).whole(d.sent_bytes.value);
        table.end_row();
      }
    });
  }
  std::set<std::string_view> kinds;
  for_shown(data, [&](const Comparison&, const Cell& cell, const std::string&) {
    for (const auto& [kind, count] : cell.cost()->events) kinds.insert(kind);
  });
  Columns columns;
  for (const std::string_view kind : kinds) columns.push_back({printable(kind)});
  HtmlTable table(out, "Events of the window", with_work(columns));
  for_shown(data, [&](const Comparison&, const Cell& cell, const std::string& work) {
    const auto& events = cell.cost()->events;
    if (events.empty()) return;
    table.begin_row();
    table.text(work).text(printable(cell.platform()));
    for (const std::string_view kind : kinds) {
      const auto found = events.find(kind);
      found == events.end() ? table.number(std::nullopt) : table.whole(found->second);
    }
    table.end_row();
  });
}

void write_sentences(std::ostream& out, const PageData& data) {
  HtmlTable table(out, "What else is known of each", with_work({{"in words", Kind::words}}));
  for_shown(data, [&](const Comparison& comparison, const Cell& cell, const std::string& work) {
    const auto unit = first_unit(cell);
    if (!unit) return;
    std::vector<std::string> lines;
    for (Sentence& sentence : sentences_of(data.costs, comparison, cell, *unit, data.speed))
      lines.push_back(std::move(sentence.text));
    if (lines.empty()) return;
    table.begin_row();
    table.text(work).text(printable(cell.platform())).lines(lines);
    table.end_row();
  });
}

void write_failed_table(std::ostream& out, const Run& header, const PageData& data) {
  const auto& failed = data.costs.failed;
  {
    HtmlTable table(
        out, "Trials that did not end",
        {{"trial"}, {"run"}, {"platform", Kind::text}, {"work", Kind::work}, {"error", Kind::words}});
    for (std::size_t i = 0; i < std::min(failed.size(), kMostFailed); ++i) {
      const FailedTrial& trial = failed[i];
      const auto& varying = data.costs.varying.of(trial.factors.at("workload"));
      table.begin_row();
      table.whole(number_of(trial.index)).whole(static_cast<std::uint64_t>(trial.repetition));
      table.text(printable(trial.factors.at("platform"))).text(full_phrase(trial.factors, varying));
      table.text(printable(trial.error, 1000));
      table.end_row();
    }
  }
  if (failed.size() > kMostFailed)
    paragraph(out, fmt::format("{} more did not end; vtax report --format table, json and csv have them.",
                               with_thousands(failed.size() - kMostFailed)));
  const std::uint64_t recorded = data.costs.finished + failed.size();
  if (recorded < header.planned_trials)
    paragraph(out, fmt::format("{} of the plan were not run yet.",
                               with_thousands(header.planned_trials - recorded)));
}

void write_provenance(std::ostream& out, const Run& header, const PageData& data) {
  for (std::size_t i = 0; i < data.provenance.size(); ++i)
    write_details(out,
                  data.provenance.size() > 1 ? fmt::format("What ran ({})", i + 1) : std::string("What ran"),
                  pretty(data.provenance[i]));
  write_details(out, "Settings", pretty(header.settings));
  write_details(out, "Measuring computer", pretty(header.machine));
  if (!header.study_source.empty()) write_details(out, "Study file", header.study_source);
}

}  // namespace vtax
