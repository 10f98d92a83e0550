#include "report/trend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/readable.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "report/trend_text.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

// Five revisions' worth of one cell among three: netback becomes dearer in the second and cheaper in the
// third.
RunTrend trend() {
  std::vector<std::unique_ptr<RunOnDisk>> files;
  std::vector<RunReader> readers;
  for (const double factor : {1.0, 1.2, 0.5}) {
    vtax::Run run = synthetic_run();
    scale_function(run.trials[57], "xenvif_tx_action", factor);
    if (factor == 0.5) run.trials.erase(run.trials.begin());  // one cell less
    files.push_back(std::make_unique<RunOnDisk>(run));
    readers.push_back(files.back()->reader());
  }
  auto made = trend_of({"v1", "v2", "v3"}, readers);
  EXPECT_TRUE(made);
  return std::move(*made);
}

TEST(Trend, SetsEachRunBesideTheFirst) {
  const RunTrend found = trend();
  ASSERT_EQ(found.against_first.size(), 2U);
  const auto cells = cells_of(found);
  ASSERT_EQ(cells.size(), 60U);
  EXPECT_EQ(cells[0].changes[1], nullptr);  // it is not in v3
  EXPECT_GT(*cells[57].changes[0]->relative(), 0);
  EXPECT_LT(*cells[57].changes[1]->relative(), 0);
  EXPECT_EQ(trend_mark(cells[57].changes[0])[0], '+');
  EXPECT_EQ(trend_mark(cells[1].changes[0]), "identical");
  EXPECT_EQ(trend_mark(cells[0].changes[1]), "-");
}

TEST(Trend, ItsSummaryHasALineARunAndTheCellsThatChanged) {
  std::ostringstream out;
  write_trend_summary(trend(), CellsShown::few, out);
  const std::string text = out.str();
  EXPECT_THAT(text, HasSubstr("  v2: 60 cells: 1 dearer, 0 cheaper, 59 ~"));
  EXPECT_THAT(text, HasSubstr("  v3: 59 cells: 0 dearer, 1 cheaper, 58 ~"));
  EXPECT_THAT(text,
              testing::ContainsRegex(
                  "\n receiving, card, offloads off, 64 KiB writes +[0-9,]+ +\\+[0-9.]+ % +-[0-9.]+ %\n"));
  EXPECT_THAT(text, HasSubstr("58 cells without a difference shown are left out; --all lists each."));
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 20);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
}

TEST(Trend, ItsFigureHasAPanelForWhatChanged) {
  const auto figure = trend_figure(trend());
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->groups.size(), 1U);  // exchanges did not change
  const FigureGroup& streams = figure->groups[0];
  ASSERT_EQ(streams.panels.size(), 1U);
  EXPECT_EQ(streams.panels[0].title, "receiving, card, offloads off, 64 KiB writes");
  EXPECT_EQ(streams.note, "15 more combinations without a difference shown");
  ASSERT_EQ(streams.panels[0].rows.size(), 3U);
  EXPECT_EQ(streams.panels[0].rows[2].label, "v3");
  EXPECT_EQ(streams.panels[0].rows[0].points[2]->value, 1);
  EXPECT_GT(streams.panels[0].rows[1].points[2]->value, 1);
}

TEST(Trend, ItsPageAndJsonHaveEveryCell) {
  std::ostringstream page, json;
  write_trend_page(trend(), page);
  write_trend_json(trend(), json);
  EXPECT_THAT(page.str(), HasSubstr("<h1>What changed since v1?</h1>"));
  EXPECT_THAT(page.str(), HasSubstr("<polyline"));
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = page.str().find("<tr>", at)) != std::string::npos; ++at) ++rows;
  EXPECT_EQ(rows, 61U);
  EXPECT_THAT(page.str(), Not(HasSubstr("<script")));
  const auto read = nlohmann::json::parse(json.str());
  EXPECT_EQ(read["runs"], nlohmann::json::parse(R"(["v1", "v2", "v3"])"));
  EXPECT_EQ(read["comparisons"][1]["cells"].size(), 59U);
  EXPECT_EQ(read["comparisons"][1]["only_before"].size(), 1U);
}

TEST(Trend, NamesOfRunsAreForeignText) {
  RunTrend evil = trend();
  evil.names = {"<b>\x1b[5m", "</style><script>", "x"};
  std::ostringstream page, text, markdown;
  write_trend_page(evil, page);
  write_trend_summary(evil, CellsShown::all, text);
  write_trend_markdown(evil, CellsShown::all, markdown);
  for (const std::string& one : {page.str(), text.str(), markdown.str()})
    EXPECT_THAT(one, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page.str(), Not(HasSubstr("<script")));
}

}  // namespace
}  // namespace vtax
