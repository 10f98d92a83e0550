#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/readable.h"
#include "core/statistics.h"
#include "report/answer.h"
#include "report/capacity.h"
#include "report/cell.h"
#include "report/claims_text.h"
#include "report/hardware_text.h"
#include "report/measured.h"
#include "report/offered_load.h"
#include "report/phrase.h"
#include "report/repetitions.h"
#include "report/sensitivity.h"
#include "report/text_table.h"

namespace vtax {
namespace {

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (part == 0) return "0 %";
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
  return percent < 0.01 ? "<0.01 %" : fmt::format("{:.2f} %", percent);
}

void print_head(std::ostream& out, const Run& run, const RunCosts& costs,
                const std::vector<Comparison>& comparisons) {
  if (!run.question.empty()) {
    print_wrapped(out, "", printable(run.question, 500));
    out << '\n';
  }
  print_wrapped(out, "  ", answer(costs, comparisons));
  out << '\n';
  std::string study =
      fmt::format("Study {} on {}; {} of {} trials, vtax {}, {}.", printable(run.study, 100),
                  platforms_text(costs), with_thousands(costs.finished), with_thousands(run.planned_trials),
                  printable(run.vtax_version), printable(run.started_utc));
  if (costs.finished > 0)
    study += fmt::format(" Costs are {}; a KB is 1024 bytes.",
                         in_time(costs) ? "nanoseconds of CPU time, measured on this computer's own kernel"
                                        : "instructions, exact");
  print_wrapped(out, "", study);
}

// What is the same in every trial of a workload is said once.
void print_constants(std::ostream& out, const RunCosts& costs, const std::string& workload) {
  const auto varying = varying_factors(costs.cells, workload);
  for (const Cell& cell : costs.cells) {
    if (cell.workload() != workload) continue;
    std::set<std::string> constant;
    for (const auto& [name, value] : cell.factors) {
      const bool said = name == "platform" || name == "workload" || is_usual(name, value);
      if (!said && varying.count(name) == 0) constant.insert(name);
    }
    if (constant.empty()) return;
    print_wrapped(out, fmt::format("  {}: ", printable(workload)),
                  "always " + phrase(cell.factors, constant));
    return;
  }
}

const Cell* cell_of(const Comparison& comparison, const std::string& platform) {
  for (const Cell* cell : comparison.cells) {
    if (cell->platform() == platform) return cell;
  }
  return nullptr;
}

// "4.19 (4.05 to 4.31)", where the repetitions give an interval and it is asked for.
std::string tax_text(const Comparison& comparison, const Cell& cell, Unit unit, bool with_interval) {
  std::string text = marked_tax(comparison, cell, unit);
  const auto interval = with_interval ? tax_interval(comparison, cell, unit) : std::nullopt;
  if (interval) text += fmt::format(" ({:.2f} to {:.2f})", interval->low, interval->high);
  return text;
}

TextTable table_of_taxes(const RunCosts& costs, const std::vector<Comparison>& comparisons,
                         const std::vector<std::string>& platforms, std::string_view its_noun, Unit unit,
                         bool with_intervals) {
  std::vector<std::string> heading{fmt::format("per {}", its_noun)};
  for (const std::string& platform : platforms) heading.push_back(printable(platform));
  TextTable table(std::move(heading));
  for (const Comparison& comparison : comparisons) {
    if (noun(unit, comparison.factors.at("workload")) != its_noun) continue;
    std::vector<std::string> row{
        "  " +
        full_phrase(comparison.factors, varying_factors(costs.cells, comparison.factors.at("workload")))};
    bool has_unit = false;
    for (const std::string& platform : platforms) {
      const Cell* cell = cell_of(comparison, platform);
      const bool counts = cell != nullptr && cell->cost && [&] {
        const auto units = units_of(cell->cost->work);
        return std::find(units.begin(), units.end(), unit) != units.end();
      }();
      has_unit = has_unit || counts;
      row.push_back(counts ? tax_text(comparison, *cell, unit, with_intervals) : "-");
    }
    if (has_unit) table.add(std::move(row));
  }
  return table;
}

void print_tax_overview(std::ostream& out, const RunCosts& costs,
                        const std::vector<Comparison>& comparisons) {
  auto platforms = platforms_of(costs);
  if (std::erase(platforms, "native") == 0 || platforms.empty()) return;
  out << "\nTAX: total cost relative to native = 1\n";
  for (const auto& [unit, its_noun] : nouns_of(comparisons)) {
    TextTable table = table_of_taxes(costs, comparisons, platforms, its_noun, unit, true);
    if (table.width() > kPageColumns)  // each comparison below has its intervals
      table = table_of_taxes(costs, comparisons, platforms, its_noun, unit, false);
    if (!table.is_empty()) table.print(out);
  }
  if (const std::string marks = meaning_of_marks(comparisons); !marks.empty())
    print_wrapped(out, "  ", marks);
}

struct Scale {
  std::uint64_t divisor;
  std::string_view name;  // of as many; "" of one
};

void add_costs(TextTable& table, const Comparison& comparison, Unit unit, const Scale& scale) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost) continue;
    const WindowCost& cost = *cell->cost;
    std::vector<std::string> row{"  " + printable(cell->platform())};
    const auto add = [&](std::uint64_t n) {
      row.push_back(readable(per_unit(n, cost.work, unit).value_or(0) / static_cast<double>(scale.divisor)));
    };
    for (const Layer layer : {Layer::hypervisor, Layer::driver, Layer::kernel, Layer::program, Layer::idle}) {
      add(cost.of(layer));
    }
    row.push_back(share(cost.of(Layer::uncharged), cost.total));
    add(cost.total);
    row.push_back(marked_tax(comparison, *cell, unit));
    table.add(std::move(row));
  }
}

TextTable table_of_costs(const Comparison& comparison, const std::vector<Unit>& units, const Scale& scale) {
  const auto per = [&](Unit unit) {
    return fmt::format("per {}", noun(unit, comparison.factors.at("workload")));
  };
  TextTable table(
      {per(units.front()), "hypervisor", "driver", "kernel", "program", "idle", "uncharged", "total", "tax"});
  for (const Unit unit : units) {
    if (unit != units.front()) table.add({per(unit)});
    add_costs(table, comparison, unit, scale);
  }
  return table;
}

// In thousands or millions where a page is too narrow for the numbers.
void print_costs(std::ostream& out, const RunCosts& costs, const Comparison& comparison,
                 const std::vector<Unit>& units) {
  constexpr std::array scales{Scale{1, ""}, Scale{1'000, "thousands"}, Scale{1'000'000, "millions"},
                              Scale{1'000'000'000, "billions"}};
  for (const Scale& scale : scales) {
    const TextTable table = table_of_costs(comparison, units, scale);
    if (table.width() > kPageColumns && &scale != &scales.back()) continue;
    if (!scale.name.empty()) out << fmt::format("  in {} of {}\n", scale.name, unit_of_cost(costs));
    table.print(out);
    return;
  }
}

std::string words_of_kind(const std::string& kind) {
  std::string words = printable(kind);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

// Events per unit, those that were watched for and did not happen in one list behind them. Absent ones are
// unknown.
std::string events_text(const WindowCost& cost, Unit unit) {
  std::vector<std::string> parts, none;
  for (const auto& [kind, count] : cost.events) {
    if (count == 0) {
      none.push_back(words_of_kind(kind));
      continue;
    }
    parts.push_back(
        fmt::format("{} {}", words_of_kind(kind), readable(per_unit(count, cost.work, unit).value_or(0))));
    const auto packets = cost.events.find("gro_packets");
    if (kind == "napi_polls" && packets != cost.events.end() && packets->second > 0)
      parts.back() += fmt::format(
          " ({} packets each)", readable(static_cast<double>(packets->second) / static_cast<double>(count)));
  }
  std::string text = fmt::format("{}", fmt::join(parts, ", "));
  if (!none.empty()) text += fmt::format("{}none: {}", parts.empty() ? "" : "; ", fmt::join(none, ", "));
  return text;
}

// What the devices saw, so that like is compared with like, and the events.
void print_traffic(std::ostream& out, const Comparison& comparison, Unit unit) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost) continue;
    const WindowCost& cost = *cell->cost;
    std::vector<std::string> parts;
    for (const DeviceCount& d : cost.devices) {
      parts.push_back(fmt::format("{} {} in {} out {}", d.side == "peer" ? "peer's" : printable(d.domain),
                                  printable(d.device), with_thousands(d.received.value),
                                  with_thousands(d.sent.value)));
    }
    if (!cost.devices.empty())  // else nobody counted them
      print_wrapped(
          out, fmt::format("  {}: ", printable(cell->platform())),
          fmt::format("{} packets ({})", with_thousands(cost.work.packets.value), fmt::join(parts, "; ")));
    if (!cost.events.empty())
      print_wrapped(out, cost.devices.empty() ? fmt::format("  {}: ", printable(cell->platform())) : "    ",
                    fmt::format("per {}: {}", noun(unit, cell->workload()), events_text(cost, unit)));
  }
}

// Of several guests: what each did and what it cost.
void print_guests(std::ostream& out, const Comparison& comparison, Unit unit) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost || cell->cost->guests.size() < 2) continue;
    std::vector<std::string> parts;
    for (const GuestWork& guest : cell->cost->guests) {
      std::string text =
          guest.transactions.value > 0
              ? fmt::format("{} {} {}s", printable(guest.guest), with_thousands(guest.transactions.value),
                            noun(Unit::transaction, cell->workload()))
              : fmt::format("{} {}", printable(guest.guest), readable_bytes(guest.bytes.value));
      text += fmt::format(" in {} ms", readable(static_cast<double>(guest.virtual_ns) * 1e-6));
      const auto domain = cell->cost->domains.find(guest.guest);
      if (domain != cell->cost->domains.end()) {
        const std::uint64_t own =
            std::accumulate(domain->second.begin(), domain->second.end(), std::uint64_t{0});
        const Work done{guest.bytes, {}, guest.transactions};
        if (const auto cost = per_unit(own, done, unit))
          text += fmt::format(" for {} per {}", readable(*cost), noun(unit, cell->workload()));
      }
      parts.push_back(std::move(text));
    }
    std::string text = fmt::format("{}", fmt::join(parts, "; "));
    if (const auto fairness = fairness_of(cell->cost->guests))
      text += fmt::format("; Jain's fairness index {:.3f}", *fairness);
    print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())), text);
  }
}

// Of several domains in the driver's layer: what each cost, with the hypervisor's work on its account.
void print_drivers(std::ostream& out, const Comparison& comparison, Unit unit) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost) continue;
    std::vector<std::string> parts;
    for (const auto& [domain, layers] : cell->cost->domains) {
      const std::uint64_t driver = layers[static_cast<std::size_t>(Layer::driver)];
      if (driver == 0) continue;
      const std::uint64_t hypervisor = layers[static_cast<std::size_t>(Layer::hypervisor)];
      parts.push_back(fmt::format("{} {} and {} in the hypervisor", printable(domain),
                                  readable(per_unit(driver, cell->cost->work, unit).value_or(0)),
                                  readable(per_unit(hypervisor, cell->cost->work, unit).value_or(0))));
    }
    if (parts.size() > 1)
      print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())),
                    fmt::format("driver per {}: {}", noun(unit, cell->workload()), fmt::join(parts, "; ")));
  }
}

// What the lab's windows show by the machine's clock.
void print_measured(std::ostream& out, const Comparison& comparison) {
  for (const Cell* cell : comparison.cells)
    if (const std::string text = measured_text(*cell); !text.empty())
      print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())), text);
}

// The rates that the costs allow, where the window's own clock does not tell; and on the real host both.
void print_rates(std::ostream& out, const Comparison& comparison, const MachineSpeed& speed) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost || !cell->cost->busy.empty()) continue;
    const auto allowed = capacity(*cell->cost, speed);
    if (!allowed) continue;
    print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())),
                  rates_text(*cell->cost, *allowed, cell->workload()));
  }
}

std::string sampled_text(const RunCosts& costs, const Comparison& comparison, const Cell& cell, Unit unit) {
  const auto samples = samples_of(cell, unit);
  if (samples.empty()) return "no work was counted";
  const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
  const std::string_view one = costs.is_exact ? "start" : "run";
  const std::string runs = fmt::format("{} {}{}", samples.size(), one, samples.size() == 1 ? "" : "s");
  std::string text =
      *low == *high && samples.size() > 1
          ? fmt::format("{}, {}{} per {}", runs, cell.identical ? "identical, " : "all ", readable(*low),
                        noun(unit, cell.workload()))
          : fmt::format("{}, {} to {} per {}, median {}", runs, readable(*low), readable(*high),
                        noun(unit, cell.workload()), readable(*lower_median(samples)));
  const auto interval = cost_interval(cell, unit);
  text += interval ? fmt::format(", {} {} to {}", name_of(*interval), readable(interval->range.low),
                                 readable(interval->range.high))
                   : fmt::format(", too few for an interval ({} give one)", kLeastForInterval);
  if (const auto taxes = tax_interval(comparison, cell, unit))
    text += fmt::format("; tax {:.2f} to {:.2f}", taxes->low, taxes->high);
  const auto test = against_native(comparison, cell);
  if (!test) return text;
  if (test->is_too_few) return text + "; too few to tell it from native (--reps 4 at least)";
  return text + fmt::format("; against native: {}, p {:.2g}, Cliff's delta {:+.2f} ({})",
                            test->is_shown() ? "differs" : "~ no difference shown", *test->p, *test->delta,
                            effect_size(*test->delta));
}

void print_repetitions(std::ostream& out, const RunCosts& costs, const Comparison& comparison, Unit unit) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost || (costs.is_exact && cell->runs.size() < 2)) continue;
    print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())),
                  sampled_text(costs, comparison, *cell, unit));
  }
}

// Why a figure per packet has no tax.
void print_unlike_packets(std::ostream& out, const Comparison& comparison, const std::vector<Unit>& units) {
  const Cell* native = comparison.native();
  if (native == nullptr || !native->cost ||
      std::find(units.begin(), units.end(), Unit::packet) == units.end())
    return;
  const Work& base = native->cost->work;
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost || are_packets_alike(base, cell->cost->work)) continue;
    print_wrapped(
        out, fmt::format("  {}: ", printable(cell->platform())),
        fmt::format("its packets are not native's: {} carry what {} do there, so that per packet there "
                    "is no tax",
                    with_thousands(cell->cost->work.packets.value), with_thousands(base.packets.value)));
  }
}

// Where the time of programs is so short that the kernel's ticks decide it.
void print_ticks(std::ostream& out, const Comparison& comparison) {
  constexpr std::uint64_t few_ticks_ns = 50'000'000;
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost || !cell->cost->in_time) continue;
    const std::uint64_t program = cell->cost->of(Layer::program);
    if (program == 0 || program >= few_ticks_ns) continue;
    print_wrapped(
        out, fmt::format("  {}: ", printable(cell->platform())),
        fmt::format("{} ms of programs' time are a matter of a few ticks: a longer window tells it from "
                    "the kernel's",
                    readable(static_cast<double>(program) * 1e-6)));
  }
}

void print_sensitivity(std::ostream& out, const Comparison& comparison, Unit unit) {
  for (const Cell* cell : comparison.cells) {
    const auto range = sensitivity(*cell);
    if (!range) continue;
    const double base = per_unit(cell->cost->total, cell->cost->work, unit).value_or(0);
    std::string text =
        fmt::format("sensitivity: {} to {} per {} ({:+.2f} to {:+.2f} %) with {} perturbed",
                    readable(range->low), readable(range->high), noun(unit, cell->workload()),
                    100 * (range->low / base - 1), 100 * (range->high / base - 1), variations_text(*cell));
    if (const auto taxes = tax_sensitivity(comparison, *cell))
      text += fmt::format("; tax {:.2f} to {:.2f}", taxes->low, taxes->high);
    print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())), text);
  }
}

void print_comparison(std::ostream& out, const RunCosts& costs, const Comparison& comparison,
                      const std::optional<Found<MachineSpeed>>& speed) {
  const auto measured = std::find_if(comparison.cells.begin(), comparison.cells.end(),
                                     [](const Cell* c) { return c->cost.has_value(); });
  if (measured == comparison.cells.end()) return;
  out << '\n';
  print_wrapped(
      out, "",
      full_phrase(comparison.factors, varying_factors(costs.cells, comparison.factors.at("workload"))));
  const auto units = units_of((*measured)->cost->work);
  if (units.empty()) {
    out << "  no work was counted\n";
    return;
  }
  print_costs(out, costs, comparison, units);
  print_hardware(out, comparison, units.front());
  print_traffic(out, comparison, units.front());
  print_guests(out, comparison, units.front());
  print_drivers(out, comparison, units.front());
  print_measured(out, comparison);
  if (speed && *speed) print_rates(out, comparison, **speed);
  print_unlike_packets(out, comparison, units);
  print_ticks(out, comparison);
  print_repetitions(out, costs, comparison, units.front());
  print_sensitivity(out, comparison, units.front());
}

// What the rates rest on, or why there are none.
void print_speed(std::ostream& out, const std::optional<Found<MachineSpeed>>& speed) {
  if (!speed) return;
  print_wrapped(
      out, "  ",
      *speed
          ? fmt::format("bound: the rate at which the busiest CPU or the wire would be full, by {}. It is "
                        "derived from the cost, not measured: latency and windows can keep the rate lower.",
                        (*speed)->basis)
          : fmt::format("No rates: {}.", speed->error().why));
}

void print_legend(std::ostream& out, const RunCosts& costs) {
  out << "\nCOST BY LAYER\n";
  print_wrapped(
      out, "  ",
      fmt::format(
          "driver: the driver domain, kernel and programs. kernel, program: the guest's, or the host's where "
          "there is no guest. The peer behind a card is left out. uncharged: executed, but for whom is not "
          "known.{}",
          in_time(costs)
              ? " Ticks, of 10 ms at most, tell the kernel's time from programs'. elsewhere: what other "
                "programs took of these CPUs; no part of the cost."
              : ""));
  if (costs.is_exact)
    print_wrapped(
        out, "  ",
        "Each window's count is exact. A repetition is a start at another moment: shown is the median "
        "run (of an even number the cheaper of two), and the interval says what the start changes.");
}

void print_failed(std::ostream& out, const Run& run, const RunCosts& costs) {
  if (!costs.failed.empty()) {
    out << fmt::format("\nFAILED: {} of {} recorded trials\n", costs.failed.size(),
                       costs.finished + costs.failed.size());
  }
  for (const FailedTrial& trial : costs.failed) {
    const auto varying = varying_factors(costs.cells, trial.factors.at("workload"));
    print_wrapped(out, "  ",
                  fmt::format("trial {}, run {}, {}, {}: {}", number_of(trial.index), trial.repetition,
                              printable(trial.factors.at("platform")), full_phrase(trial.factors, varying),
                              printable(trial.error, 500)));
  }
  const std::uint64_t recorded = costs.finished + costs.failed.size();
  if (recorded < run.planned_trials) {
    const std::uint64_t missing = run.planned_trials - recorded;
    out << fmt::format("\n{} {} not run yet: the same `vtax run` with --resume goes on.\n",
                       with_thousands(missing), missing == 1 ? "trial was" : "trials were");
  }
}

}  // namespace

Result<> write_table(RunReader& reader, std::ostream& out) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  const auto comparisons = comparisons_of(*costs);
  print_head(out, reader.header(), *costs, comparisons);
  std::set<std::string> workloads;
  for (const Cell& cell : costs->cells) {
    if (workloads.insert(cell.workload()).second) print_constants(out, *costs, cell.workload());
  }
  print_tax_overview(out, *costs, comparisons);
  print_claims(out, reader.header(), *costs);
  const auto speed = machine_speed(reader.header(), *costs);
  if (costs->finished > 0) {
    print_legend(out, *costs);
    print_speed(out, speed);
  }
  if (speed && *speed) print_offered(out, *costs, **speed);
  for (const Comparison& comparison : comparisons) print_comparison(out, *costs, comparison, speed);
  print_failed(out, reader.header(), *costs);
  return {};
}

}  // namespace vtax
