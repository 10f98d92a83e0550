#include <fmt/format.h>

#include "core/readable.h"
#include "query/phrase.h"
#include "report/comparison_words.h"
#include "report/figure_svg.h"
#include "report/html_table.h"
#include "report/page_asset.h"
#include "report/source_hash.h"
#include "report/trend_text.h"

namespace vtax {
namespace {

constexpr std::size_t kMostTrendRows = 1000;

void write_run(std::ostream& out, const RunTrend& trend, std::size_t which) {
  const RunComparison& comparison = trend.against_first[which];
  out << fmt::format("<li><b>{}</b>: {}", escaped_html(printable(trend.names[which + 1], 200)),
                     escaped_html(count_text(comparison)));
  if (const CellChange* dearest = dearest_change(comparison)) {
    const std::string causes = causes_text(*dearest);
    out << escaped_html(fmt::format(" Rose most: {}, {}{}.", name_among(*dearest, comparison),
                                    change_text(dearest->relative()),
                                    causes.empty() ? "" : ", by " + causes));
  }
  for (const std::string& line : unfinished_text(comparison)) out << ' ' << escaped_html(line);
  if (!comparison.context.empty()) {
    out << "<details><summary>What differs between the runs themselves</summary><ul>";
    for (const std::string& line : comparison.context) out << "<li>" << escaped_html(line) << "</li>";
    out << "</ul></details>";
  }
  out << "</li>\n";
}

void write_cells(std::ostream& out, const RunTrend& trend, const std::vector<TrendCell>& cells) {
  VaryingFactors varying;
  for (const TrendCell& cell : cells) varying.add(cell.any->factors);
  std::vector<HtmlTable::Column> columns{
      {"cell", HtmlTable::Kind::work}, {"per", HtmlTable::Kind::text}, {printable(trend.names.front())}};
  for (std::size_t i = 1; i < trend.names.size(); ++i) {
    columns.push_back({printable(trend.names[i])});
    columns.push_back({"change", HtmlTable::Kind::text});
    columns.push_back({"95 % interval", HtmlTable::Kind::text});
  }
  HtmlTable table(out, "Cost of every cell", std::move(columns));
  for (std::size_t row = 0; row < std::min(cells.size(), kMostTrendRows); ++row) {
    const TrendCell& cell = cells[row];
    const auto& factors = cell.any->factors;
    table.begin_row();
    table.text(printable(factors.at("platform")) + ", " +
               full_phrase(factors, varying.of(factors.at("workload"))));
    table.text(unit_noun(*cell.any)).number(cell.any->before_per_unit());
    for (const CellChange* change : cell.changes) {
      table.number(change == nullptr ? std::nullopt : std::optional(change->after_per_unit()));
      table.text(trend_mark(change)).text(change == nullptr ? "" : interval_text(*change));
    }
    table.end_row();
  }
}

}  // namespace

void write_trend_page(const RunTrend& trend, std::ostream& out) {
  const std::string_view style = page_asset("page.css");
  const std::string first = escaped_html(printable(trend.names.front(), 200));
  out << fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {0}; img-src "
      "data:\">\n"
      "<title>{1} and {2} more - vtax</title>\n<link rel=\"icon\" "
      "href=\"data:,\">\n<style>{3}</style>\n</head>\n"
      "<body>\n<header>\n<p class=\"study\">vtax compare</p>\n<h1>What changed since {1}?</h1>\n</header>\n"
      "<main>\n<ul>\n",
      source_hash(style), first, trend.against_first.size(), style);
  for (std::size_t i = 0; i < trend.against_first.size(); ++i) write_run(out, trend, i);
  out << "</ul>\n";
  if (const auto figure = trend_figure(trend)) {
    out << "<section><h2>Cost over the runs</h2>\n<div class=\"figures wide-figure\">"
        << figure_svg(*figure, kFigureWidth, SvgPicture::Use::page)
        << "</div>\n<div class=\"figures narrow-figure\">"
        << figure_svg(*figure, kNarrowFigureWidth, SvgPicture::Use::page) << "</div>\n</section>\n";
  }
  const auto cells = cells_of(trend);
  out << "<section><h2>Every cell</h2>\n<p class=\"note\">Per unit of work, of each run the median "
         "repetition. ~: no "
         "difference shown.</p>\n";
  write_cells(out, trend, cells);
  if (cells.size() > kMostTrendRows)
    out << fmt::format("<p>{} more are left out; --format json has all.</p>\n",
                       with_thousands(cells.size() - kMostTrendRows));
  for (std::size_t i = 0; i < trend.against_first.size(); ++i)
    for (const auto& [title, names] :
         {std::pair("only in the first run", &trend.against_first[i].only_before),
          std::pair("only in this run", &trend.against_first[i].only_after)}) {
      if (names->empty()) continue;
      out << fmt::format("<details><summary>{}: {} cells {}</summary><ul>",
                         escaped_html(printable(trend.names[i + 1], 200)), names->size(), title);
      for (const std::string& name : *names) out << "<li>" << escaped_html(name) << "</li>";
      out << "</ul></details>\n";
    }
  out << "</section>\n</main>\n</body>\n</html>\n";
}

}  // namespace vtax
