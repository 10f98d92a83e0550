#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/embedded_file.h"
#include "core/readable.h"
#include "core/sha256.h"
#include "query/phrase.h"
#include "report/answer.h"
#include "report/html_table.h"
#include "report/page_data.h"
#include "report/page_tables.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& page();
const std::vector<EmbeddedFile>& page_first_scripts();
const std::vector<EmbeddedFile>& page_scripts();
}  // namespace embedded

namespace {

std::string_view asset(std::string_view name) {
  const auto& all = embedded::page();
  return std::find_if(all.begin(), all.end(), [&](const EmbeddedFile& file) { return file.name == name; })
      ->content;
}

std::string script_of(const std::vector<EmbeddedFile>& files) {
  std::string script = "\"use strict\";\n";
  for (const EmbeddedFile& file : files) script += file.content;
  return script;
}

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return at < bytes.size() ? std::uint32_t{bytes[at]} : 0U; };
    const std::uint32_t three = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    for (std::size_t digit = 0; digit < 4; ++digit)
      out += i + digit > bytes.size() ? '=' : kDigits[three >> (18 - 6 * digit) & 63U];
  }
  return out;
}

// As a Content-Security-Policy names what may run: by content.
std::string source_hash(std::string_view content) {
  const std::string hex = sha256_hex(content);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return "'sha256-" + base64(bytes) + "'";
}

std::string policy(std::string_view first_script, std::string_view script) {
  return fmt::format("default-src 'none'; script-src {} {} {}; style-src {}; img-src data:",
                     source_hash(asset("echarts.min.js")), source_hash(first_script), source_hash(script),
                     source_hash(asset("page.css")));
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

}  // namespace

Result<> write_html(RunReader& reader, std::ostream& out, const std::optional<TermTable>& terms) {
  const auto read = read_page_data(reader, terms);
  if (!read) return fail(read.error());
  const PageData& data = *read;
  const Run& run = reader.header();
  const std::string first_script = script_of(embedded::page_first_scripts()),
                    script = script_of(embedded::page_scripts());
  const std::string study = printable(run.study, 200);
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
      {"answer", text(answer(data.costs, data.comparisons))},
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
      {"style", [&] { out << asset("page.css"); }},
      {"first-script", [&] { out << first_script; }},
      {"script", [&] { out << script; }},
      {"echarts", [&] { out << asset("echarts.min.js"); }},
      {"data", [&] { write_page_data(run, data, out); }},
  };
  // page.html is ours: every {{name}} in it is one of `parts`.
  std::string_view page = asset("page.html");
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
