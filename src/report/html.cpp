#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/embedded_file.h"
#include "core/readable.h"
#include "report/answer.h"
#include "report/page_data.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& page();
const std::vector<EmbeddedFile>& page_scripts();
}  // namespace embedded

namespace {

std::string_view asset(std::string_view name) {
  const auto& all = embedded::page();
  return std::find_if(all.begin(), all.end(), [&](const EmbeddedFile& file) { return file.name == name; })
      ->content;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string summary(const Run& run, const RunCosts& costs) {
  return fmt::format("Study {}: {} of {} planned trials ended, {} failed. vtax {}, begun {}.",
                     printable(run.study, 200), with_thousands(costs.finished),
                     with_thousands(run.planned_trials), with_thousands(costs.failed.size()),
                     printable(run.vtax_version), printable(run.started_utc));
}

}  // namespace

Result<> write_html(RunReader& reader, std::ostream& out, const std::optional<TermTable>& terms) {
  auto data = read_page_data(reader, terms);
  if (!data) return fail(data.error());
  const Run& run = reader.header();
  const auto comparisons = comparisons_of(data->costs);
  const std::string study = printable(run.study, 200);
  const auto text = [&](std::string_view words) { return [&out, words] { out << escaped(words); }; };
  const std::string question = run.question.empty() ? study : printable(run.question, 500);
  const std::string answered = answer(data->costs, comparisons);
  const std::string platforms = platforms_text(data->costs);
  const std::string title = study + " - vtax";
  const std::string summed = summary(run, data->costs);
  const std::map<std::string_view, std::function<void()>> parts{
      {"title", text(title)},
      {"study", text(study)},
      {"platforms", text(platforms)},
      {"question", text(question)},
      {"answer", text(answered)},
      {"summary", text(summed)},
      {"style", [&] { out << asset("page.css"); }},
      {"script",
       [&] {
         for (const EmbeddedFile& file : embedded::page_scripts()) out << file.content;
       }},
      {"echarts", [&] { out << asset("echarts.min.js"); }},
      {"data", [&] { write_page_data(run, *data, comparisons, out); }},
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
