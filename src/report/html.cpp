#include "report/html.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/embedded_file.h"
#include "core/readable.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/answer.h"
#include "report/figure_svg.h"
#include "report/html_table.h"
#include "report/page_asset.h"
#include "report/page_data.h"
#include "report/page_tables.h"
#include "report/source_hash.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& page_first_scripts();
const std::vector<EmbeddedFile>& page_scripts();
}  // namespace embedded

namespace {

std::string script_of(const std::vector<EmbeddedFile>& files) {
  std::string script = "\"use strict\";\n";
  for (const EmbeddedFile& file : files) script += file.content;
  return script;
}

std::string policy(std::string_view first_script, std::string_view script) {
  return fmt::format("default-src 'none'; script-src {} {} {}; style-src {}; img-src data:",
                     source_hash(page_asset("echarts.min.js")), source_hash(first_script),
                     source_hash(script), source_hash(page_asset("page.css")));
}

std::string summary(const Run& run, const RunCosts& costs) {
  return fmt::format("Study {}: {} of {} planned trials ended, {} failed. vtax {}, begun {}.",
                     printable(run.study, 200), with_thousands(costs.finished),
                     with_thousands(run.planned_trials), with_thousands(costs.failed.size()),
                     printable(run.vtax_version), printable(run.started_utc));
}

// What is the same in every trial of a workload.
std::string constants(const RunCosts& costs) {
  std::set<std::string> seen;
  std::string out;
  for (const Cell& cell : costs.cells) {
    if (!seen.insert(cell.workload()).second) continue;
    const std::string text = constants_text(cell.factors, costs.varying.of(cell.workload()));
    if (!text.empty()) out += fmt::format("{}: {}. ", printable(cell.workload()), text);
  }
  return out;
}

std::string kind_of_cost(const RunCosts& costs) {
  std::string text =
      costs.is_exact
          ? "Instructions, of each window exact; the interval says what the moment changes at which "
            "a trial starts."
      : costs.is_simulated
          ? "Simulated, not measured: instructions are what one guest cost in the lab, rates are a model's."
          : "CPU time in ns, as measured.";
  if (in_time(costs))
    text +=
        " Ticks, of 10 ms at most, tell the kernel's time from programs'. Elsewhere: what other programs "
        "took "
        "of these CPUs; no part of the cost.";
  return text;
}

// Text of a sentence: a number is not torn from its %.
std::string sentence(std::string_view text) {
  std::string html = escaped_html(text);
  for (std::size_t at = 0; (at = html.find(" %", at)) != std::string::npos; at += 2)
    html.replace(at, 1, "&nbsp;");
  return html;
}

void write_answer(std::ostream& out, const Run& run, const PageData& data) {
  for (const AnswerText& text : answer(run, data.costs, data.comparisons)) {
    const std::string_view kind = text.is_failure ? "answer failed" : "answer";
    out << fmt::format("<p class=\"{}\">{}</p>\n", kind, sentence(text.lead));
    if (text.lines.empty()) continue;
    out << fmt::format("<ul class=\"{}\">\n", kind);
    for (const auto& [name, line] : text.lines)
      out << fmt::format("<li><b>{}</b> {}</li>\n", sentence(name), sentence(line));
    out << "</ul>\n";
  }
}

// In two widths, of which the style shows the one that fits the window.
void write_figure(std::ostream& out, const std::optional<Figure>& figure, std::string_view name) {
  if (!figure) return;
  for (const auto& [width, which] :
       {std::pair(kFigureWidth, "wide"), std::pair(kNarrowFigureWidth, "narrow")})
    out << fmt::format("<div class=\"figures {}-figure\" data-name=\"{}\">{}</div>\n", which, name,
                       figure_svg(*figure, width, SvgPicture::Use::page));
}

}  // namespace

Result<> write_html(RunReader& reader, std::ostream& out, const std::optional<TermTable>& terms) {
  const auto read = read_page_data(reader, terms);
  if (!read) return fail(read.error());
  const PageData& data = *read;
  const Run& run = reader.header();
  const std::string first_script = script_of(embedded::page_first_scripts()),
                    script = script_of(embedded::page_scripts());
  const std::string study = printable(run.study, 200);
  const auto taxes = tax_figure(data.costs, data.shown);
  const auto text = [&](std::string words) {
    return [&out, words = std::move(words)] { out << escaped_html(words); };
  };
  const auto hidden_unless = [&](bool is_shown) {
    return [&out, is_shown] { out << (is_shown ? "" : " hidden"); };
  };
  const std::map<std::string_view, std::function<void()>> parts{
      {"policy", [&] { out << policy(first_script, script); }},
      {"title", text(study + " - vtax")},
      {"study", text(study)},
      {"platforms", text(platforms_text(data.costs))},
      {"question", text(run.question.empty() ? study : printable(run.question, 500))},
      {"answer", [&] { write_answer(out, run, data); }},
      {"hide-tax", hidden_unless(taxes.has_value())},
      {"tax", [&] { write_figure(out, taxes, "tax"); }},
      {"marks", text(meaning_of_marks(data.comparisons))},
      {"rate-figure", [&] { write_figure(out, rate_figure(data.costs, data.shown), "rates"); }},
      {"hide-traffic", hidden_unless(has_traffic(data))},
      {"summary", text(summary(run, data.costs))},
      {"constants", text(constants(data.costs))},
      {"cost-kind", text(kind_of_cost(data.costs))},
      {"hide-claims", hidden_unless(has_claims(run))},
      {"claims", [&] { write_claims_section(out, run, data); }},
      {"hide-terms", hidden_unless(!data.models.empty())},
      {"terms", [&] { write_terms_tables(out, data); }},
      {"hide-measured", hidden_unless(has_measured(data))},
      {"measured", [&] { write_measured_tables(out, data); }},
      {"hide-rates", hidden_unless(data.speed.has_value())},
      {"rates", [&] { write_rates_tables(out, data); }},
      {"hide-offered", hidden_unless(!data.offered.empty())},
      {"offered", [&] { write_offered_tables(out, data); }},
      {"hide-functions", hidden_unless(has_functions(data))},
      {"functions", [&] { write_functions_table(out, data); }},
      {"costs", [&] { write_cost_tables(out, data); }},
      {"sentences", [&] { write_sentences(out, data); }},
      {"hide-hardware", hidden_unless(has_hardware(data))},
      {"hardware", [&] { write_hardware_tables(out, data); }},
      {"traffic", [&] { write_traffic_tables(out, data); }},
      {"hide-failed", hidden_unless(data.costs.finished < run.planned_trials || !data.costs.failed.empty())},
      {"failed", [&] { write_failed_table(out, run, data); }},
      {"provenance", [&] { write_provenance(out, run, data); }},
      {"style", [&] { out << page_asset("page.css"); }},
      {"first-script", [&] { out << first_script; }},
      {"script", [&] { out << script; }},
      {"echarts", [&] { out << page_asset("echarts.min.js"); }},
      {"data", [&] { write_page_data(run, data, out); }},
  };
  // page.html is ours: every {{name}} in it is one of `parts`.
  std::string_view page = page_asset("page.html");
  for (std::size_t at = 0; (at = page.find("{{")) != std::string_view::npos;) {
    const std::size_t end = page.find("}}", at);
    out << page.substr(0, at);
    parts.at(page.substr(at + 2, end - at - 2))();
    page.remove_prefix(end + 2);
  }
  out << page;
  return {};
}

}  // namespace vtax
