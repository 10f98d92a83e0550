#include "cli/report.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/pager.h"
#include "cli/recordings.h"
#include "cli/terminal_columns.h"
#include "core/readable.h"
#include "core/text_table.h"
#include "model/term_table.h"
#include "model/terms.h"
#include "prices/text.h"
#include "query/function_calls.h"
#include "query/profile.h"
#include "record/run_reader.h"
#include "report/cell_csv.h"
#include "report/firefox_profile.h"
#include "report/html.h"
#include "report/json.h"
#include "report/ledger_csv.h"
#include "report/markdown.h"
#include "report/openmetrics.h"
#include "report/output.h"
#include "report/pprof.h"
#include "report/run_figure.h"
#include "report/table.h"
#include "report/trial_list.h"
#include "watch/record/recording_reader.h"

namespace vtax {
namespace {

struct ReportOptions {
  std::string run;
  std::string format = "table";
  std::string output = "-";
  std::optional<std::uint64_t> trial;
  std::string terms;
  std::string prices;
  std::vector<std::string> functions;
  bool is_all = false;
  bool has_no_pager = false;
  std::string chart = "tax";
  bool has_chart = false;
  std::string cell;  // part of the name of those that a chart shows
};

using Writer = Result<> (*)(RunReader&, std::ostream&);
using ProfileWriter = void (*)(const Profile&, std::ostream&);

const std::map<std::string, Writer>& writers() {
  static const std::map<std::string, Writer> all{
      {"markdown", write_markdown},      {"json", write_json},
      {"ndjson", write_ndjson},          {"csv", write_cell_csv},
      {"csv-ledger", write_ledger_csv},  {"trials", write_trial_list},
      {"openmetrics", write_openmetrics}};
  return all;
}

const std::map<std::string, ProfileWriter>& profile_writers() {
  static const std::map<std::string, ProfileWriter> all{{"profile", write_profile_table},
                                                        {"folded", write_folded},
                                                        {"callgrind", write_callgrind},
                                                        {"pprof", write_pprof},
                                                        {"firefox", write_firefox_profile}};
  return all;
}

std::vector<std::string> formats() {
  std::vector<std::string> names{"table", "html", "svg", "terms"};
  for (const auto& [name, writer] : writers()) names.push_back(name);
  for (const auto& [name, writer] : profile_writers()) names.push_back(name);
  return names;
}

Result<TermTable> terms_in(const std::string& file) {
  return file.empty() ? TermTable::built_in() : TermTable::read(file);
}

// The page has terms where the study or the user asks for them.
Result<> write_page(RunReader& reader, const ReportOptions& options, std::ostream& out) {
  if (options.terms.empty()) return write_html(reader, out);
  const auto table = terms_in(options.terms);
  if (!table) return fail(table.error());
  return write_html(reader, out, *table);
}

Result<> write_terms_of(RunReader& reader, const std::string& file, std::ostream& out) {
  const auto table = terms_in(file);
  if (!table) return fail(table.error());
  const auto models = message_models(reader, *table);
  if (!models) return fail(models.error());
  write_terms(*table, *models, out);
  return {};
}

Result<> write_calls_of(RunReader& reader, const std::vector<std::string>& functions, std::ostream& out) {
  const auto cells = read_function_calls(reader, functions);
  if (!cells) return fail(cells.error());
  write_function_calls(*cells, out);
  return {};
}

Result<> write_estimate_of(RunReader& reader, const std::string& file, std::ostream& out) {
  const auto list = prices::read_prices(file);
  if (!list) return fail(list.error());
  const auto cells = prices::estimate_cells(reader, *list);
  if (!cells) return fail(cells.error());
  prices::write_estimate(reader.header(), *list, *cells, out);
  return {};
}

Result<> write(RunReader& reader, const ReportOptions& options, std::ostream& out) {
  if (!options.prices.empty()) return write_estimate_of(reader, options.prices, out);
  if (!options.functions.empty()) return write_calls_of(reader, options.functions, out);
  if (options.format == "table")
    return write_table(reader, out, options.is_all ? TableDetail::all : TableDetail::first);
  if (options.format == "svg") return write_run_figure(reader, options.chart, options.cell, out);
  if (options.format == "html") return write_page(reader, options, out);
  if (options.format == "terms") return write_terms_of(reader, options.terms, out);
  const auto profile_writer = profile_writers().find(options.format);
  if (profile_writer == profile_writers().end()) return writers().at(options.format)(reader, out);
  auto profile = read_profile(reader, options.trial);
  if (!profile) return fail(profile.error());
  profile_writer->second(*profile, out);
  return {};
}

Result<ExitCode> report(const ReportOptions& options) {
  if (options.trial && profile_writers().count(options.format) == 0) {
    return fail({"cannot use --trial with --format " + options.format, "it selects the trial of a profile",
                 "profiles: --format profile, folded, callgrind, pprof or firefox"});
  }
  if (!options.terms.empty() && options.format != "terms" && options.format != "html") {
    return fail({"cannot use --terms with --format " + options.format,
                 "it names the table of --format terms, or of html", ""});
  }
  if (!options.functions.empty() && options.format != "table") {
    return fail({"cannot use --function with --format " + options.format, "it is a table of its own",
                 "--format profile has all functions of a trial"});
  }
  if (options.is_all && options.format != "table")
    return fail({"cannot use --all with --format " + options.format, "it is of the table",
                 "every other format has all of a run"});
  if (options.format != "svg" && (!options.cell.empty() || options.has_chart))
    return fail({"cannot use --chart or --cell with --format " + options.format,
                 "they choose what --format svg draws", "vtax report RUN --format svg --chart layers"});
  if (!options.prices.empty() && (options.format != "table" || !options.functions.empty())) {
    return fail({"cannot use --prices with --format " + options.format + " or --function",
                 "it is a table of its own", "leave them out"});
  }
  std::error_code none;
  if (options.output != "-" && std::filesystem::equivalent(options.run, options.output, none))
    return fail({"cannot write " + printable(options.output, 200), "it is the run file that is to be shown",
                 "name another file", ExitCode::usage});
  std::optional<RunReader> reader;
  if (watch::is_recording(options.run)) {
    if (!options.prices.empty())
      return fail({"cannot use --prices", "recordings of `vtax top` are time already", "leave it out"});
    if (!options.functions.empty())
      return fail(
          {"cannot use --function", "recordings of `vtax top` hold no functions", "`vtax run` counts them"});
  } else {
    auto opened = RunReader::open(options.run);
    if (!opened) return fail(opened.error());
    reader = std::move(*opened);
  }
  auto output = Output::open(options.output);
  if (!output) return fail(output.error());
  if (options.output == "-") set_page_columns(output->stream(), terminal_columns());
  auto pager = Pager::begin(!options.has_no_pager && options.is_all && options.output == "-");
  if (!pager) return fail(pager.error());
  const auto written = reader ? write(*reader, options, output->stream())
                              : report_recording(options.run, options.format, output->stream());
  if (!written) return fail(written.error());
  if (auto committed = output->commit(); !committed && !pager->is_there()) return fail(committed.error());
  if (auto read = pager->end(); !read) return fail(read.error());
  return ExitCode::ok;
}

Verb::Action add_report_options(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  app.add_option("RUN", options->run, "The run file")->required();
  app.add_option("--format", options->format,
                 "table: for people; markdown; html: one page that needs no network; svg: a figure;\n"
                 "json, ndjson: docs/report-schema.md; csv: a row a cell and layer; csv-ledger: every\n"
                 "entry of every trial; openmetrics;\n"
                 "trials: each with its number, for --trial;\n"
                 "one trial's instructions by function: profile, folded (flame graphs), callgrind,\n"
                 "pprof (`go tool pprof`), firefox (profiler.firefox.com);\n"
                 "terms: Primet's cost of a message by its size, term by term.\n"
                 "Recordings of `vtax top`: table, ndjson, csv")
      ->check(CLI::IsMember(formats()))
      ->capture_default_str();
  app.add_flag("--all", options->is_all, "All that is known of every combination, claim and failed trial");
  app.add_flag("--no-pager", options->has_no_pager, "Do not show --all through $PAGER or less on a terminal");
  const auto* chart =
      app.add_option("--chart", options->chart, "What --format svg draws: " + names_of_run_figures())
          ->check(CLI::IsMember(run_figures()))
          ->capture_default_str();
  app.add_option("--cell", options->cell,
                 "Of --format svg: the combinations that have this text in their name");
  app.add_option("--trial", options->trial, "The trial of a profile: its number, which --format trials shows")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  app.add_option("--terms", options->terms,
                 "For --format terms and html: your own table of functions and terms");
  app.add_option("--function", options->functions,
                 "In place of the table: calls of these functions for each unit of work, and what a call\n"
                 "costs; * stands for any characters")
      ->type_name("NAME ...");
  app.add_option("--prices", options->prices,
                 "In place of the table: estimated time, at a processor's prices (docs/prices.md)")
      ->type_name("FILE");
  app.add_option("-o,--out,--output", options->output, "Write to this file; - is the standard output")
      ->capture_default_str();
  return [options, chart] {
    options->has_chart = chart->count() > 0;
    return report(*options);
  };
}

}  // namespace

Verb report_verb() {
  return {"report", "Show a run: as a table, a page, JSON, CSV, metrics or profiles",
          "vtax report first-look.vtax\n  vtax report first-look.vtax --all\n"
          "  vtax report first-look.vtax --format html -o first-look.html\n"
          "  vtax report first-look.vtax --format svg --chart layers --cell 'sending, card' -o layers.svg\n"
          "  vtax report first-look.vtax --format trials && vtax report first-look.vtax --format profile "
          "--trial 45\n"
          "  vtax report first-look.vtax --function 'gnttab_*' tcp_v4_rcv",
          add_report_options, true};
}

}  // namespace vtax
