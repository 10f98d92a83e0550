#include <map>
#include <regex>

#include "query/testing/claims_of_synthetic_run.h"
#include "tests/report_page/report_page.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

// Six starts of each cell, one of which failed; of the lab, with rates, guests, claims and bounds.
vtax::Run everything_of_the_lab() {
  vtax::Run run = synthetic_run();
  run.settings = R"({"speed": {"cpu_mips": 1000, "link_mbps": 1000}})";
  carry_claims(run, synthetic_claims());
  const auto once = run.trials;
  run.trials.clear();
  for (int start = 0; start < 6; ++start) {
    for (Trial trial : once) {
      scale_function(trial, "copy_user_generic", 1 + 0.003 * start);
      trial.index = run.trials.size();
      trial.repetition = start + 1;
      trial.window_virtual_ns += static_cast<std::uint64_t>(start) * 10'000;
      add_measured(trial);
      run.trials.push_back(std::move(trial));
    }
  }
  make_failed(run.trials[100], "the guest hung at 4711");
  run.planned_trials = run.trials.size() + 3;
  return run;
}

TEST_F(ReportPage, OnPaperNoWordIsBrokenAndEachPageHasTheTablesHeadings) {
  VTAX_NEEDS_CHROMIUM();
  if (run_program("command -v pdftotext").code != 0)
    GTEST_SKIP() << "pdftotext is missing: apt-get install poppler-utils";
  make(synthetic_run());
  const std::string text = printed();
  int headings = 0;
  const std::regex heading(
      "work +platform +hypervisor +driver +kernel +program +idle +uncharged +total +[a-z ]*tax");
  for (auto at = std::sregex_iterator(text.begin(), text.end(), heading); at != std::sregex_iterator(); ++at)
    ++headings;
  EXPECT_GT(headings, 2);  // two tables, the longer one on several pages
  EXPECT_THAT(text, HasSubstr("xenvif_tx_action"));
}

TEST_F(ReportPage, HoldsEveryNumberOfTheTableWithoutScripts) {
  make(everything_of_the_lab());
  EXPECT_THAT(numbers_missing(), testing::IsEmpty());
  const std::string text = text_without_scripts();
  for (const char* part : {"the guest hung at 4711", "Mb/s", "p99.9, us", "Jain's fairness index",
                           "busy: CPU 0", "3 of the plan were not run yet"})
    EXPECT_THAT(text, HasSubstr(part));
  // Of perturbed machines, of a real host with counters, of work at a rate that is set, and of none.
  vtax::Run run = synthetic_run();
  for (std::size_t i = 0; i < 60; ++i) {
    run.trials[i].factors["variation"] = "none";
    run.trials.push_back(run.trials[i]);
    run.trials.back().factors["variation"] = "layout-1";
    scale_function(run.trials.back(), "copy_user_generic", 1.07);
    run.trials.back().index = 60 + i;
  }
  run.planned_trials = 120;
  make(run);
  EXPECT_THAT(numbers_missing(), testing::IsEmpty());
  run = synthetic_run();
  run.settings = R"({"machine": "host"})";
  for (Trial& trial : run.trials) {
    make_host(trial);
    add_hardware_counters(trial, "not seen: 17 threads");
  }
  make(run);
  EXPECT_THAT(numbers_missing(true), testing::IsEmpty());
  make(run_at_offered_rates());
  EXPECT_THAT(numbers_missing(), testing::IsEmpty());
}

// As Jenkins serves what a build left: no script, no style but its own.
TEST_F(ReportPage, ShowsItsTablesWhereScriptsAreForbidden) {
  VTAX_NEEDS_CHROMIUM();
  if (run_program("command -v pdftotext").code != 0)
    GTEST_SKIP() << "pdftotext is missing: apt-get install poppler-utils";
  make(everything_of_the_lab());
  const std::string head = "<head>\n";
  page_.insert(page_.find(head) + head.size(),
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self'; "
               "style-src 'self'\">\n");
  // On paper stands what is unfolded; without scripts people unfold it themselves.
  for (std::size_t at = 0; (at = page_.find("<details class=\"fold\"", at)) != std::string::npos; at += 30)
    page_.insert(at + 8, " open");
  std::ofstream(file_, std::ios::binary) << page_;
  const std::string elements = browser("--virtual-time-budget=5000 --dump-dom").out;
  EXPECT_THAT(elements, Not(HasSubstr("data-ready")));  // no script ran
  const std::string text = printed();
  for (const char* shown : {"Cost per KB", "Measured rates and latencies", "How busy each CPU was",
                            "Claims and verdicts", "Rates that the costs allow", "the guest hung at 4711",
                            "Instructions by function", "Pictures that are drawn by scripts"})
    EXPECT_THAT(text, HasSubstr(shown));
}

// A table is sorted by its numbers, not by their texts.
TEST_F(ReportPage, ItsTablesAreSortedByAClick) {
  VTAX_NEEDS_CHROMIUM();
  make(synthetic_run());
  const std::string script =
      "document.querySelector('[aria-label=\"Cost per KB\"] th:nth-child(9) button').click();";
  // The test's own script would be forbidden, as it should: it takes the place of the page's last lines.
  const std::string last = "document.body.dataset.ready = \"true\";\n";
  page_.insert(page_.find(last), script);
  const std::regex policy("<meta http-equiv=\"Content-Security-Policy\"[^>]*>");
  std::ofstream(file_, std::ios::binary) << std::regex_replace(page_, policy, "");
  const std::string elements = rendered();
  const std::size_t from = elements.find("aria-label=\"Cost per KB\"");
  const std::string table = elements.substr(from, elements.find("</table>", from) - from);
  EXPECT_THAT(table, HasSubstr("aria-sort=\"descending\""));
  std::vector<double> totals;
  const std::regex row("<tr>(<td[^>]*>[^<]*</td>){8}<td data-v=\"([0-9.e+]+)\"");
  for (auto at = std::sregex_iterator(table.begin(), table.end(), row); at != std::sregex_iterator(); ++at)
    totals.push_back(std::stod((*at)[2]));
  ASSERT_EQ(totals.size(), 48U);
  EXPECT_TRUE(std::is_sorted(totals.rbegin(), totals.rend()));
  EXPECT_GT(totals.front(), totals.back());
}

TEST_F(ReportPage, ShowsRatesAndBusyCpusOfTheLab) {
  VTAX_NEEDS_CHROMIUM();
  make(everything_of_the_lab());
  const std::string elements = rendered();
  EXPECT_THAT(elements, HasSubstr("data-name=\"rates\""));
  EXPECT_THAT(elements, testing::ContainsRegex(
                            "<title>native, tcp-stream, [^<]*: [0-9,.]+ \\([0-9,.]+ to [0-9,.]+\\)</title>"));
  const auto busy = series_of(elements, "busy-chart");
  std::map<std::string, nlohmann::json> by_domain;
  for (const auto& series : busy) by_domain[series["name"]] = series["data"];
  // CPU 0 and the peer of native and container, three of xen-pv: 50, 33 and 20 %.
  ASSERT_EQ(by_domain["Domain-0"].size(), 7U);
  EXPECT_NEAR(by_domain["Domain-0"][4].get<double>(), 50, 0.1);
  EXPECT_NEAR(by_domain["guest1"][6].get<double>(), 20, 0.1);
  EXPECT_NEAR(by_domain["peer"][1].get<double>(), 33.3, 0.1);
  EXPECT_THAT(elements, HasSubstr("aria-label=\"How busy each CPU was, by domain"));
}

TEST_F(ReportPage, LocalWorkHasItsOwnNounsAndShortNumbers) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  run.trials = {run.trials[17], run.trials[57]};
  for (Trial& trial : run.trials) make_compile(trial);
  make(run);
  const std::string elements = rendered();
  EXPECT_THAT(elements, HasSubstr(">Cost per compile</h3>"));
  EXPECT_THAT(elements, HasSubstr("<option value=\"transaction\">compile</option>"));
  EXPECT_THAT(elements,
              HasSubstr("Instructions per compile; native: too few repetitions"));  // no packets of none
  EXPECT_THAT(elements, HasSubstr(">10.1 G  ×1.00</text>"));
  EXPECT_THAT(elements, HasSubstr(">10,079,299,800</td>"));  // the table's
}

TEST_F(ReportPage, ShowsHardwareCountersWhereThereAreAny) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_header();
  run.settings = R"({"machine": "host"})";
  run.trials = {synthetic_run().trials.front()};
  make_host(run.trials[0]);
  make(run);
  EXPECT_THAT(rendered(), HasSubstr("<details class=\"fold\" id=\"hardware-section\" hidden"));
  add_hardware_counters(run.trials[0], "not seen: <b>something</b>");
  make(run);
  const std::string elements = rendered();
  EXPECT_THAT(elements, HasSubstr("<details class=\"fold\" id=\"hardware-section\" open=\"\">"));
  for (const char* text : {"cycles per KB</td>", "instructions per cycle</td>",
                           "not seen: &lt;b&gt;something", "counted threads ran 93 % of the CPU time"})
    EXPECT_THAT(elements, HasSubstr(text));
  EXPECT_THAT(elements, testing::ContainsRegex(
                            "<td data-v=\"1.3333[0-9]*\">1.33</td>"));  // 4 instructions every 3 cycles
}

}  // namespace
}  // namespace vtax
