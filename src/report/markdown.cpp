#include "report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/readable.h"
#include "query/cell.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/answer.h"
#include "report/markdown_table.h"
#include "report/verdict.h"

namespace vtax {
namespace {

std::string work_of(const Comparison& comparison, const RunCosts& costs) {
  return escaped_markdown(
      full_phrase(comparison.factors, costs.varying.of(comparison.factors.at("workload"))));
}

void write_costs(std::ostream& out, const RunCosts& costs, const std::vector<Comparison>& comparisons,
                 Unit unit, std::string_view its_noun) {
  bool has_begun = false;
  for (const Comparison& comparison : comparisons) {
    if (noun(unit, comparison.factors.at("workload")) != its_noun) continue;
    for (const Cell* cell : comparison.cells) {
      if (!cell->cost()) continue;
      const WindowCost& cost = *cell->cost();
      const auto units = units_of(cost.work);
      if (std::find(units.begin(), units.end(), unit) == units.end()) continue;
      if (!has_begun) {
        out << fmt::format("\n### Cost per {}\n\nIn {}.\n\n", its_noun,
                           in_time(costs) ? "CPU time" : "instructions");
        std::vector<std::string> heading{"work", "platform"};
        for (const Layer layer : kLayers) heading.emplace_back(name(layer));
        heading.insert(heading.end(), {"total", "interval", "tax", "interval of the tax", "runs"});
        MarkdownTable(out, heading, 2);
        has_begun = true;
      }
      std::vector<std::string> row{work_of(comparison, costs), escaped_markdown(cell->platform())};
      for (const Layer layer : kLayers)
        row.push_back(cost_text(per_unit(cost.of(layer), cost.work, unit).value_or(0), cost.in_time));
      row.push_back(cost_text(per_unit(cost.total, cost.work, unit).value_or(0), cost.in_time));
      const auto interval = cost_interval(*cell, unit);
      row.push_back(interval ? fmt::format("{} to {}", cost_text(interval->range.low, cost.in_time),
                                           cost_text(interval->range.high, cost.in_time))
                             : "-");
      row.push_back(escaped_markdown(marked_tax(comparison, *cell, unit)));
      const auto taxes = tax_interval(comparison, *cell, unit);
      row.push_back(taxes ? fmt::format("{:.2f} to {:.2f}", taxes->low, taxes->high) : "-");
      row.push_back(std::to_string(cell->runs.size()));
      out << fmt::format("| {} |\n", fmt::join(row, " | "));
    }
  }
}

// Cycles and instructions of the CPUs' own counters, where there are any.
void write_hardware_tables(std::ostream& out, const RunCosts& costs,
                           const std::vector<Comparison>& comparisons) {
  bool has_begun = false, has_table = false;
  std::vector<std::string> notes;
  for (const Comparison& comparison : comparisons) {
    for (const Cell* cell : comparison.cells) {
      if (!cell->cost() || !cell->cost()->hardware) continue;
      const auto units = units_of(cell->cost()->work);
      const auto one = units.empty() ? std::nullopt : per_unit(1, cell->cost()->work, units.front());
      if (!one) continue;
      const auto lines = hardware_lines(*cell->cost()->hardware, 1 / *one);
      if (!has_begun) out << "\n## Hardware counters\n\n";
      if (!has_table && !lines.empty())
        MarkdownTable(out, {"work", "platform", "count", "driver", "kernel", "program", "uncharged", "total"},
                      3);
      has_begun = true;
      has_table = has_table || !lines.empty();
      const std::string its_noun(noun(units.front(), cell->workload()));
      const std::string work = work_of(comparison, costs), platform = escaped_markdown(cell->platform());
      for (const HardwareLine& line : lines) {
        std::vector<std::string> row{
            work, platform,
            line.is_ratio ? std::string(line.name) : fmt::format("{} per {}", line.name, its_noun)};
        for (const auto& layer : line.layers) row.push_back(layer ? readable(*layer) : "-");
        row.push_back(line.total ? readable(*line.total) : "-");
        out << fmt::format("| {} |\n", fmt::join(row, " | "));
      }
      if (const std::string text = hardware_notes(*cell->cost()->hardware); !text.empty())
        notes.push_back(fmt::format("{}, {}: {}", platform, work, escaped_markdown(text, 2000)));
    }
  }
  for (const std::string& note : notes) out << "\n" << note << ".\n";
}

void write_claims_table(std::ostream& out, const Run& run, const RunCosts& costs) {
  const auto published = published_of(run);
  if (published && !*published) return;
  out << "\n## Published beside measured\n\n";
  if (!published) {
    out << escaped_markdown(published.error().what + ": " + published.error().why) << '\n';
    return;
  }
  const auto judged = judge(**published, run, costs);
  out << fmt::format("{}: {}\n\n", escaped_markdown((*published)->paper), count_verdicts(judged));
  MarkdownTable table(out, {"claim", "source", "verdict", "reason", "published", "measured", "interval"}, 4);
  for (const JudgedClaim& j : judged) {
    table.row(
        {escaped_markdown(j.claim->says), escaped_markdown(j.claim->source), std::string(name(j.verdict)),
         escaped_markdown(j.reason), escaped_markdown(published_figure(*j.claim)),
         j.measured ? readable(*j.measured) : "-",
         j.interval ? fmt::format("{} to {}", readable(j.interval->low), readable(j.interval->high)) : "-"});
  }
}

void write_failures(std::ostream& out, const RunCosts& costs) {
  if (costs.failed.empty()) return;
  out << "\n## Failed trials\n\n";
  MarkdownTable table(out, {"trial", "run", "platform", "error"}, 4);
  for (const FailedTrial& trial : costs.failed) {
    table.row({std::to_string(number_of(trial.index)), std::to_string(trial.repetition),
               escaped_markdown(trial.factors.at("platform")), escaped_markdown(trial.error)});
  }
}

}  // namespace

Result<> write_markdown(RunReader& reader, std::ostream& out) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  const Run& run = reader.header();
  const auto comparisons = comparisons_of(*costs);
  out << fmt::format("# {}\n\n", escaped_markdown(run.question.empty() ? run.study : run.question));
  for (const AnswerText& text : answer(run, *costs, comparisons)) {
    out << escaped_markdown(text.lead, 2000) << "\n\n";
    for (const auto& [name, line] : text.lines)
      out << fmt::format("- {}: {}\n", escaped_markdown(name), escaped_markdown(line, 2000));
    if (!text.lines.empty()) out << '\n';
  }
  write_claims_table(out, run, *costs);
  if (costs->finished > 0) out << "\n## Cost by layer\n";
  for (const auto& [unit, its_noun] : nouns_of(comparisons))
    write_costs(out, *costs, comparisons, unit, its_noun);
  if (const std::string marks = meaning_of_marks(comparisons); !marks.empty())
    out << '\n' << escaped_markdown(marks) << '\n';
  write_hardware_tables(out, *costs, comparisons);
  write_failures(out, *costs);
  out << fmt::format("\nStudy {} on {}; {} of {} trials ended, {} failed; vtax {}, begun {}.\n",
                     escaped_markdown(run.study, 100), escaped_markdown(platforms_text(*costs)),
                     costs->finished, run.planned_trials, costs->failed.size(),
                     escaped_markdown(run.vtax_version), escaped_markdown(run.started_utc));
  return {};
}

}  // namespace vtax
