#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/readable.h"
#include "core/text_table.h"
#include "model/capacity.h"
#include "model/offered_load.h"
#include "query/cell.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/answer.h"
#include "report/cell_text.h"
#include "report/claims_text.h"
#include "report/hardware_text.h"

namespace vtax {
namespace {

// Its lines in two columns.
void print_answer(std::ostream& out, const AnswerText& text) {
  print_wrapped(out, "  ", text.lead);
  std::size_t widest = 0;
  for (const auto& [name, line] : text.lines) widest = std::max(widest, columns(name));
  for (const auto& [name, line] : text.lines)
    print_wrapped(out, "    " + name + std::string(widest - columns(name) + 2, ' '), line);
}

void print_head(std::ostream& out, const Run& run, const RunCosts& costs,
                const std::vector<Comparison>& comparisons) {
  if (!run.question.empty()) {
    print_wrapped(out, "", printable(run.question, 500));
    out << '\n';
  }
  for (const AnswerText& text : answer(run, costs, comparisons)) print_answer(out, text);
  out << '\n';
  std::string study =
      fmt::format("Study {} on {}; {} of {} trials, vtax {}, {}.", printable(run.study, 100),
                  platforms_text(costs), with_thousands(costs.finished), with_thousands(run.planned_trials),
                  printable(run.vtax_version), printable(run.started_utc));
  if (costs.finished > 0)
    study += fmt::format(" Costs are {}; a KB is 1024 bytes.",
                         in_time(costs) ? "CPU time, measured on this computer's own kernel"
                         : costs.is_simulated
                             ? "instructions, not measured: simulated, at what one guest cost in the lab"
                             : "instructions, exact");
  print_wrapped(out, "", study);
}

// What is the same in every trial of a workload is said once.
void print_constants(std::ostream& out, const RunCosts& costs, const Cell& first) {
  const std::string text = constants_text(first.factors, costs.varying.of(first.workload()));
  if (!text.empty()) print_wrapped(out, fmt::format("  {}: ", printable(first.workload())), text);
}

void add_costs(TextTable& table, const Comparison& comparison, Unit unit, const CostUnit& counted) {
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost()) continue;
    const WindowCost& cost = *cell->cost();
    std::vector<std::string> row{"  " + printable(cell->platform())};
    const auto add = [&](std::uint64_t n) {
      row.push_back(counted.figure(per_unit(n, cost.work, unit).value_or(0)));
    };
    for (const Layer layer : {Layer::hypervisor, Layer::driver, Layer::kernel, Layer::program, Layer::idle}) {
      add(cost.of(layer));
    }
    row.push_back(share_text(cost.of(Layer::uncharged), cost.total));
    add(cost.total);
    row.push_back(marked_tax(comparison, *cell, unit));
    table.add(std::move(row));
  }
}

TextTable table_of_costs(const Comparison& comparison, const std::vector<Unit>& units,
                         const CostUnit& counted) {
  const auto per = [&](Unit unit) {
    return fmt::format("per {}", noun(unit, comparison.factors.at("workload")));
  };
  TextTable table(
      {per(units.front()), "hypervisor", "driver", "kernel", "program", "idle", "uncharged", "total", "tax"});
  for (const Unit unit : units) {
    if (unit != units.front()) table.add({per(unit)});
    add_costs(table, comparison, unit, counted);
  }
  return table;
}

double dearest_of(const Comparison& comparison, const std::vector<Unit>& units) {
  double most = 0;
  for (const Cell* cell : comparison.cells)
    for (const Unit unit : units)
      if (cell->cost())
        most = std::max(most, per_unit(cell->cost()->total, cell->cost()->work, unit).value_or(0));
  return most;
}

// CPU time in the unit that it has the size of; instructions in thousands or millions where a page is too
// narrow for the numbers.
void print_costs(std::ostream& out, const RunCosts& costs, const Comparison& comparison,
                 const std::vector<Unit>& units) {
  if (in_time(costs)) {
    const CostUnit counted = cost_unit(dearest_of(comparison, units), true);
    out << fmt::format("  in {}\n", counted.name);
    table_of_costs(comparison, units, counted).print(out);
    return;
  }
  constexpr std::array kScales{CostUnit{1, ""}, CostUnit{1e3, "thousands"}, CostUnit{1e6, "millions"},
                               CostUnit{1e9, "billions"}};
  for (const CostUnit& scale : kScales) {
    const TextTable table = table_of_costs(comparison, units, scale);
    if (table.width() > page_columns(out) && &scale != &kScales.back()) continue;
    if (!scale.name.empty()) out << fmt::format("  in {} of instructions\n", scale.name);
    table.print(out);
    return;
  }
}

// All that is said of its cells, by what it is about.
void print_sentences(std::ostream& out, const RunCosts& costs, const Comparison& comparison, Unit unit,
                     const std::optional<Found<MachineSpeed>>& speed) {
  std::vector<std::vector<Sentence>> said;
  for (const Cell* cell : comparison.cells)
    said.push_back(sentences_of(costs, comparison, *cell, unit, speed));
  for (const About about : kAbout) {
    for (std::size_t i = 0; i < said.size(); ++i) {
      std::string before = fmt::format("  {}: ", printable(comparison.cells[i]->platform()));
      for (const Sentence& sentence : said[i]) {
        if (sentence.about != about) continue;
        print_wrapped(out, before, sentence.text);
        before = "    ";
      }
    }
  }
}

void print_comparison(std::ostream& out, const RunCosts& costs, const Comparison& comparison,
                      const std::optional<Found<MachineSpeed>>& speed) {
  const auto measured = std::find_if(comparison.cells.begin(), comparison.cells.end(),
                                     [](const Cell* c) { return c->cost() != nullptr; });
  if (measured == comparison.cells.end()) return;
  out << '\n';
  print_wrapped(out, "",
                full_phrase(comparison.factors, costs.varying.of(comparison.factors.at("workload"))));
  const auto units = units_of((*measured)->cost()->work);
  if (units.empty()) {
    out << "  no work was counted\n";
    return;
  }
  print_costs(out, costs, comparison, units);
  print_hardware(out, comparison, units.front());
  print_sentences(out, costs, comparison, units.front(), speed);
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
          "there is no guest. The peer behind a card is left out, and so are joined machines but the first. "
          "uncharged: executed, but for whom is not known.{}",
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

void print_failed(std::ostream& out, const RunCosts& costs) {
  constexpr std::size_t kLongestError = 8000;  // with forty lines of a machine's console
  if (!costs.failed.empty()) {
    out << fmt::format("\nFAILED: {} of {} recorded trials\n", costs.failed.size(),
                       costs.finished + costs.failed.size());
  }
  for (const FailedTrial& trial : costs.failed) {
    const auto& varying = costs.varying.of(trial.factors.at("workload"));
    print_wrapped(out, "  ",
                  fmt::format("trial {}, run {}, {}, {}: {}", number_of(trial.index), trial.repetition,
                              printable(trial.factors.at("platform")), full_phrase(trial.factors, varying),
                              printable(trial.error, kLongestError)));
  }
}

void print_missing(std::ostream& out, const Run& run, const RunCosts& costs) {
  const std::uint64_t recorded = costs.finished + costs.failed.size();
  if (recorded < run.planned_trials) {
    const std::uint64_t missing = run.planned_trials - recorded;
    out << fmt::format("\n{} {} not run yet: the same `vtax run` with --resume goes on.\n",
                       with_thousands(missing), missing == 1 ? "trial was" : "trials were");
  }
}

// Who pays in each workload's typical combination.
void print_typical(std::ostream& out, const RunCosts& costs, const std::vector<WorkloadAnswer>& answers) {
  if (answers.empty()) return;
  out << "\nWHO PAYS, in the typical combination\n";
  for (const WorkloadAnswer& one : answers) {
    print_wrapped(out, "",
                  full_phrase(one.typical->factors, costs.varying.of(one.typical->factors.at("workload"))));
    print_costs(out, costs, *one.typical, {one.unit});
  }
}

void print_everything(std::ostream& out, const Run& run, const RunCosts& costs,
                      const std::vector<Comparison>& comparisons) {
  print_claims(out, run, costs, TableDetail::all);
  const auto speed = machine_speed(run, costs);
  if (costs.finished > 0) {
    print_legend(out, costs);
    print_speed(out, speed);
  }
  if (speed && *speed) print_offered(out, costs, **speed);
  for (const Comparison& comparison : comparisons) print_comparison(out, costs, comparison, speed);
  print_failed(out, costs);
}

}  // namespace

Result<> write_table(RunReader& reader, std::ostream& out, TableDetail detail) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  const Run& run = reader.header();
  const auto comparisons = comparisons_of(*costs);
  const auto answers = answers_of(*costs, comparisons);
  print_head(out, run, *costs, comparisons);
  std::set<std::string> workloads;
  for (const Cell& cell : costs->cells) {
    if (workloads.insert(cell.workload()).second) print_constants(out, *costs, cell);
  }
  print_overview(out, *costs, comparisons, answers, detail);
  if (detail == TableDetail::all) {
    print_everything(out, run, *costs, comparisons);
  } else {
    print_typical(out, *costs, answers);
    print_claims(out, run, *costs, TableDetail::first);
  }
  print_missing(out, run, *costs);
  if (detail == TableDetail::first && (costs->finished > 0 || !costs->failed.empty())) {
    out << '\n';
    print_wrapped(
        out, "",
        "--all: every combination by layer, with packets, events, rates and repetitions. --format html: "
        "the page.");
  }
  return {};
}

}  // namespace vtax
