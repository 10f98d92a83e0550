#include "cli/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/pager.h"
#include "cli/recordings.h"
#include "cli/terminal_columns.h"
#include "core/readable.h"
#include "core/text_table.h"
#include "query/comparison.h"
#include "record/run_reader.h"
#include "report/comparison_json.h"
#include "report/comparison_summary.h"
#include "report/comparison_text.h"
#include "report/comparison_words.h"
#include "report/output.h"
#include "report/trend.h"
#include "report/trend_text.h"
#include "watch/record/recording_reader.h"

namespace vtax {
namespace {

struct CompareOptions {
  std::vector<std::string> runs;  // two or more, the first is what the others are compared with
  std::string output = "-";
  std::string limit;  // "2%"
  bool has_limit = false;
  std::string format = "table";
  bool is_all = false;
  bool has_no_pager = false;
  std::string cell;  // part of the name of those to show in detail

  [[nodiscard]] const std::string& before() const { return runs.front(); }
  [[nodiscard]] const std::string& after() const { return runs.back(); }  // what is judged
};

// "2%", "2 %" or "2" as a fraction.
Result<double> parse_limit(const std::string& text) {
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const bool is_percent = rest.empty() || rest == "%" || rest == " %";
  if (error != std::errc() || !is_percent || !std::isfinite(percent) || percent < 0) {
    return fail({fmt::format("cannot use --fail-above {}", printable(text)), "it is not a percentage",
                 "for example --fail-above 2%"});
  }
  return percent / 100;
}

// Of samples that are too few for a test the medians decide; whoever relies on that should know.
void say_what_rests_on_medians(const RunComparison& comparison) {
  const auto too_few = std::count_if(comparison.cells.begin(), comparison.cells.end(), [](const auto& cell) {
    return !cell.is_identical && cell.samples.is_too_few;
  });
  if (too_few > 0)
    std::cerr << fmt::format(
        "vtax: warning: {} of {} cells are judged by their medians alone: too few repetitions for a test\n"
        "  run both with --reps 4 at least\n",
        too_few, comparison.cells.size());
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) text += (i == 0 ? "" : "; ") + names[i];
  return names.size() > kMost ? fmt::format("{}; and {} more", text, names.size() - kMost) : text;
}

// Cells that rose by more than the limit, the worst first.
std::vector<std::string> names_of_risen(const RunComparison& comparison, double limit) {
  std::vector<const CellChange*> risen;
  for (const CellChange& cell : comparison.cells)
    if (cell.rise() > limit) risen.push_back(&cell);
  std::stable_sort(risen.begin(), risen.end(),
                   [](const CellChange* a, const CellChange* b) { return a->rise() > b->rise(); });
  std::vector<std::string> names;
  for (const CellChange* cell : risen)
    names.push_back(fmt::format("{} ({})", name_among(*cell, comparison), change_text(cell->relative())));
  return names;
}

// What keeps the second run from being judged: what was not measured again cannot have passed.
std::optional<Error> obstacle_to_judging(const RunComparison& comparison, const CompareOptions& options) {
  const std::string what = "cannot judge " + options.after();
  if (!comparison.failed_after.empty())
    return Error{what,
                 fmt::format("{} of its cells failed: {}", comparison.failed_after.size(),
                             listed(comparison.failed_after)),
                 "its report says why; `vtax run ... --resume` tries them again", ExitCode::trial_failed};
  if (!comparison.partly_failed_after.empty())
    return Error{what,
                 fmt::format("a repetition of {} of its cells failed: {}",
                             comparison.partly_failed_after.size(), listed(comparison.partly_failed_after)),
                 "its report says why; `vtax run ... --resume` tries them again", ExitCode::trial_failed};
  for (const auto& [file, missing] : {std::pair(options.after(), comparison.not_run_after),
                                      std::pair(options.before(), comparison.not_run_before)})
    if (missing > 0)
      return Error{what, fmt::format("{} is unfinished: {} of its trials were not run", file, missing),
                   "the same `vtax run` with --resume goes on", ExitCode::trial_failed};
  if (comparison.cells.empty())
    return Error{
        what, fmt::format("it has no finished cell in common with {}", options.before()),
        "cells are compared when all their factors are equal: run the same study with the same --set"};
  if (!comparison.only_before.empty())
    return Error{what,
                 fmt::format("{} of the cells of {} are not in it: {}", comparison.only_before.size(),
                             options.before(), listed(comparison.only_before)),
                 "run the same study with the same --set"};
  return std::nullopt;
}

Result<ExitCode> judge(const RunComparison& comparison, double limit, const CompareOptions& options) {
  say_what_rests_on_medians(comparison);
  const double worst = worst_regression(comparison);
  if (worst > limit)
    std::cerr << fmt::format("vtax: a cost rose by {:.2f} %, above the limit of {:g} %: {}\n", 100 * worst,
                             100 * limit, listed(names_of_risen(comparison, limit)));
  if (auto obstacle = obstacle_to_judging(comparison, options)) return fail(std::move(*obstacle));
  if (worst > limit) return ExitCode::regression;
  if (const std::size_t undecided = undecided_cells(comparison, limit); undecided > 0)
    std::cerr << fmt::format(
        "vtax: warning: the intervals of {} of {} cells reach above {}: they may have risen by more\n"
        "  more repetitions tell (--reps)\n",
        undecided, comparison.cells.size(), options.limit);
  return ExitCode::ok;
}

// Those whose name has the text in it, each in detail.
Result<> write_cells(const RunComparison& comparison, const std::string& text, std::ostream& out) {
  std::vector<CellChange> chosen;
  std::vector<std::string> others;
  for (const CellChange& cell : comparison.cells) {
    const std::string name = name_among(cell, comparison);
    if (name.find(text) != std::string::npos)
      chosen.push_back(cell);
    else
      others.push_back(name);
  }
  if (chosen.empty())
    return fail({fmt::format("cannot show the cells of '{}'", printable(text)),
                 "no compared cell has that in its name",
                 others.empty() ? "" : "their names: " + listed(others)});
  write_comparison_details(chosen, out);
  return {};
}

// As people see them: without the folder, and without the ending that all have.
std::vector<std::string> run_names_of(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) {
    const std::filesystem::path path(file);
    names.push_back((path.extension() == ".vtax" ? path.stem() : path.filename()).string());
  }
  return names;
}

Result<> write_two(const RunComparison& comparison, const CompareOptions& options, std::ostream& out) {
  const CellsShown shown = options.is_all ? CellsShown::all : CellsShown::few;
  if (options.format == "json") {
    write_comparison_json(comparison, out);
  } else if (options.format == "markdown") {
    write_comparison_markdown(comparison, shown, out);
  } else if (!options.cell.empty()) {
    return write_cells(comparison, options.cell, out);
  } else {
    write_comparison_summary(comparison, shown, out);
    if (options.is_all) write_comparison_details(comparison.cells, out);
  }
  return {};
}

Result<> write(const RunTrend& trend, const CompareOptions& options, std::ostream& out) {
  if (options.format == "html") {
    write_trend_page(trend, out);
    return {};
  }
  if (trend.against_first.size() == 1) return write_two(trend.against_first.front(), options, out);
  const CellsShown shown = options.is_all ? CellsShown::all : CellsShown::few;
  if (!options.cell.empty())
    return fail({"cannot show the cells of more than two runs", "--cell sets two runs side by side",
                 "name the two that are to be compared"});
  if (options.format == "json")
    write_trend_json(trend, out);
  else if (options.format == "markdown")
    write_trend_markdown(trend, shown, out);
  else
    write_trend_summary(trend, shown, out);
  return {};
}

Result<ExitCode> compare(const CompareOptions& options) {
  if (!options.cell.empty() && options.format != "table")
    return fail({fmt::format("cannot show the cells of '{}'", printable(options.cell)),
                 fmt::format("--cell is of --format table, not of {}", options.format),
                 "leave one of the two out; json has every cell"});
  std::optional<double> limit;
  if (options.has_limit) {
    auto parsed = parse_limit(options.limit);
    if (!parsed) return fail(parsed.error());
    limit = *parsed;
  }
  std::vector<RunReader> readers;
  for (const std::string& file : options.runs) {
    auto reader = RunReader::open(file);
    if (!reader) return fail(reader.error());
    readers.push_back(std::move(*reader));
  }
  const auto trend = trend_of(run_names_of(options.runs), readers);
  if (!trend) return fail(trend.error());
  auto output = Output::open(options.output);
  if (!output) return fail(output.error());
  if (options.output == "-") set_page_columns(output->stream(), terminal_columns());
  auto pager = Pager::begin(!options.has_no_pager && options.is_all && options.output == "-");
  if (!pager) return fail(pager.error());
  if (auto written = write(*trend, options, output->stream()); !written) return fail(written.error());
  if (auto committed = output->commit(); !committed && !pager->is_there()) return fail(committed.error());
  if (auto read = pager->end(); !read) return fail(read.error());
  return limit ? judge(trend->against_first.back(), *limit, options) : ExitCode::ok;
}

// Time series have no repetitions to judge by.
Result<ExitCode> compare_two_recordings(const CompareOptions& options) {
  const char* unfit = options.has_limit           ? "--fail-above"
                      : options.format != "table" ? "--format"
                      : !options.cell.empty()     ? "--cell"
                                                  : nullptr;
  if (unfit != nullptr)
    return fail({fmt::format("cannot compare recordings with {}", unfit),
                 "recordings of `vtax top` have no repetitions, and no cells to judge",
                 "without it their guests are set side by side; `vtax run` makes runs that can be judged"});
  if (options.runs.size() > 2)
    return fail({"cannot compare more than two recordings", "their guests are set side by side", "name two"});
  auto output = Output::open(options.output);
  if (!output) return fail(output.error());
  if (auto done = compare_recordings(options.before(), options.after(), output->stream()); !done)
    return fail(done.error());
  if (auto committed = output->commit(); !committed) return fail(committed.error());
  return ExitCode::ok;
}

Result<ExitCode> compare_files(const CompareOptions& options) {
  std::error_code none;
  for (const std::string& file : options.runs)
    if (options.output != "-" && std::filesystem::equivalent(file, options.output, none))
      return fail({"cannot write " + printable(options.output, 200), "it is one of the run files",
                   "name another file", ExitCode::usage});
  const bool has_recording = std::any_of(options.runs.begin(), options.runs.end(),
                                         [](const std::string& file) { return watch::is_recording(file); });
  return has_recording ? compare_two_recordings(options) : compare(options);
}

Verb::Action add_compare_options(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  app.add_option("RUNS", options->runs,
                 "Run files, the first to compare with, the last to judge; of three or more each\n"
                 "is set beside the first, such as a tree's revisions")
      ->required()
      ->expected(2, 1000);
  const auto* limit = app.add_option(
      "--fail-above", options->limit,
      "Exit with 1 if a cell's cost per unit of work rose by more than this, such as 2%;\n"
      "with 2 if a cell of the first run is not in the last, with 4 if a trial of that failed\n"
      "or was not run");
  app.add_flag("--all", options->is_all, "List every cell, and each one's layers and functions behind them");
  app.add_flag("--no-pager", options->has_no_pager, "Do not show --all through $PAGER or less on a terminal");
  app.add_option("--cell", options->cell,
                 "Layers and functions of the cells that have this text in their name");
  auto* format =
      app.add_option("--format", options->format,
                     "table: for people; markdown: a comment of a review; html: one page that needs no\n"
                     "network, with a chart over the runs; json: docs/report-schema.md")
          ->check(CLI::IsMember({"table", "markdown", "html", "json"}))
          ->capture_default_str();
  app.add_flag_callback(
         "--json", [options] { options->format = "json"; }, "The same as --format json")
      ->excludes(format);
  app.add_option("-o,--out,--output", options->output, "Write to this file; - is the standard output")
      ->capture_default_str();
  return [options, limit] {
    options->has_limit = limit->count() > 0;
    return compare_files(*options);
  };
}

}  // namespace

Verb compare_verb() {
  return {"compare", "What changed between runs, by layer and function",
          "vtax compare before.vtax after.vtax --fail-above 2%\n"
          "  vtax compare before.vtax after.vtax --cell 'tcp-rr, card'\n"
          "  vtax compare before.vtax after.vtax --format markdown --fail-above 2% > comment.md\n"
          "  vtax compare v6.1.vtax v6.6.vtax v6.12.vtax --format html -o revisions.html",
          add_compare_options, true};
}

}  // namespace vtax
