#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "query/testing/claims_of_synthetic_run.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

// The report page in a real browser.
namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

// Of synthetic_run() the native trial of the typical combination of its streams; the other platforms' lie 20
// and 40 behind it.
constexpr std::size_t kTypical = 12;

// Exchanges made web requests at two offered rates, one that is possible and one that is not.
vtax::Run run_at_offered_rates() {
  vtax::Run run = synthetic_run();
  run.settings = R"({"speed": {"cpu_mips": 1000}})";
  for (Trial& trial : run.trials) {
    if (trial.factors["workload"] != "tcp-rr") continue;
    trial.factors["workload"] = "http";
    trial.factors["connections_per_second"] = trial.factors["offloads"] == "on" ? "100" : "1000000";
    trial.factors.erase("offloads");
  }
  return run;
}

class ReportPage : public testing::Test {
 protected:
  // Writes the run's page; `page_` is its text.
  void make(const vtax::Run& run) {
    disk_ = std::make_unique<RunOnDisk>(run);
    file_ = disk_->file().string() + ".html";
    const auto made =
        run_program(VTAX_PROGRAM " report " + disk_->file().string() + " --format html -o " + file_);
    ASSERT_EQ(made.code, 0) << made.err;
    std::ifstream in(file_);
    page_.assign(std::istreambuf_iterator<char>(in), {});
  }

  // The page's elements once its script has run; fails on anything that the browser's console reports.
  [[nodiscard]] std::string rendered() const {
    const auto shown = browser("--virtual-time-budget=5000 --enable-logging=stderr --dump-dom");
    EXPECT_THAT(shown.err, Not(HasSubstr("CONSOLE"))) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("data-ready=\"true\""));
    return shown.out;
  }

  // What stands on paper, line by line.
  [[nodiscard]] std::string printed() const {
    const std::string paper = file_ + ".pdf";
    static_cast<void>(browser("--no-pdf-header-footer --print-to-pdf=" + paper));
    return run_program("pdftotext -layout " + paper + " -").out;
  }

  [[nodiscard]] ProgramResult browser(const std::string& options) const {
    const std::string profile = disk_->file().parent_path().string() + "/browser";
    const auto ended = run_program(
        "timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
        " --disable-background-networking --disable-component-update --disable-sync --user-data-dir=" +
        profile + " --window-size=1280,900 " + options + " 'file://" + file_ + "#unfolded'");
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended;
  }

  // The page's text without a script's help, as a text browser or a mail's preview shows it.
  [[nodiscard]] std::string text_without_scripts() const {
    std::string text;
    std::size_t at = 0;
    while (at < page_.size()) {
      const std::size_t tag = std::min(page_.find('<', at), page_.size());
      text += page_.substr(at, tag - at) + ' ';
      if (tag == page_.size()) break;
      const std::string_view rest = std::string_view(page_).substr(tag);
      const std::string_view end = rest.starts_with("<script")  ? "</script>"
                                   : rest.starts_with("<style") ? "</style>"
                                                                : ">";
      at = page_.find(end, tag) + end.size();
    }
    for (const auto& [entity, character] : std::map<std::string, std::string>{
             {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}})
      for (std::size_t i = 0; (i = text.find(entity, i)) != std::string::npos; ++i)
        text.replace(i, entity.size(), character);
    return text;
  }

  // Every number of the run's table that the page does not show without scripts.
  [[nodiscard]] std::vector<std::string> numbers_missing() const {
    const auto table = run_program(VTAX_PROGRAM " report --all " + disk_->file().string());
    EXPECT_EQ(table.code, 0) << table.err;
    const auto shown = numbers_of(text_without_scripts());
    const auto wanted = numbers_of(table.out);
    EXPECT_GT(wanted.size(), 20U);
    std::vector<std::string> missing;
    std::set_difference(wanted.begin(), wanted.end(), shown.begin(), shown.end(),
                        std::back_inserter(missing));
    return missing;
  }

  static std::set<std::string> numbers_of(const std::string& text) {
    static const std::regex number("[0-9][0-9,]*(\\.[0-9]+)?");
    std::set<std::string> all;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), number); at != std::sregex_iterator();
         ++at) {
      std::string one = at->str();
      while (one.ends_with(',')) one.pop_back();
      all.insert(std::move(one));
    }
    return all;
  }

  // What the chart in the element of this id holds.
  static nlohmann::json series_of(const std::string& elements, const std::string& id) {
    const std::size_t start = elements.find("id=\"" + id + "\"");
    const std::string attribute = "data-series=\"";
    const std::size_t from = elements.find(attribute, start) + attribute.size();
    std::string text = elements.substr(from, elements.find('"', from) - from);
    for (std::size_t at = 0; (at = text.find("&quot;")) != std::string::npos;) text.replace(at, 6, "\"");
    return nlohmann::json::parse(text, nullptr, false);
  }

  std::unique_ptr<RunOnDisk> disk_;
  std::string file_, page_;
};

#define VTAX_NEEDS_CHROMIUM()                                        \
  if (run_program("command -v chromium").code != 0) {                \
    GTEST_SKIP() << "chromium is missing: apt-get install chromium"; \
  }

double per_kilobyte(const Trial& trial, Layer layer) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger) {
    if (entry.kind == "instructions" && entry.layer == layer) sum += entry.value;
  }
  return static_cast<double>(sum) / (static_cast<double>(trial.work.bytes.value) / 1024);
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
  EXPECT_THAT(numbers_missing(), testing::IsEmpty());
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

TEST_F(ReportPage, ItsPolicyNamesWhatMayRunByContent) {
  make(synthetic_run());
  EXPECT_THAT(page_, Not(HasSubstr("unsafe")));
  const std::regex policy(
      "script-src( 'sha256-[A-Za-z0-9+/]{43}='){3}; "
      "style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:");
  EXPECT_TRUE(std::regex_search(page_, policy)) << page_.substr(0, 1000);
  EXPECT_THAT(page_.substr(0, page_.find("<script")), Not(HasSubstr(" style=")));
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

TEST_F(ReportPage, ItsChartsHoldTheRunsNumbers) {
  VTAX_NEEDS_CHROMIUM();
  const vtax::Run run = synthetic_run();
  make(run);
  const std::string elements = rendered();
  // The typical combination: receiving over a card, offloads on, 64 KiB writes; native, container, xen-pv.
  const auto layers = series_of(elements, "layers");
  ASSERT_EQ(layers.size(), 8U);  // six layers, the total's label, and the intervals of none
  EXPECT_EQ(layers[7]["data"], nlohmann::json::array());
  const std::array<Layer, 6> order{Layer::hypervisor, Layer::driver, Layer::kernel,
                                   Layer::program,    Layer::idle,   Layer::uncharged};
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(layers[i]["name"], std::string(name(order[i])));
    for (std::size_t platform = 0; platform < 3; ++platform) {
      EXPECT_DOUBLE_EQ(layers[i]["data"][platform].get<double>(),
                       per_kilobyte(run.trials[kTypical + 20 * platform], order[i]));
    }
  }
  for (std::size_t i = 0; i < 20; ++i) {
    const Trial& native = run.trials[i];
    const Trial& xen = run.trials[40 + i];
    const auto units = [](const Trial& t) {
      return static_cast<double>(t.work.transactions.value > 0 ? t.work.transactions.value
                                                               : t.work.bytes.value);
    };
    const double expected = static_cast<double>(xen.machine_total.value) / units(xen) /
                            (static_cast<double>(native.machine_total.value) / units(native));
    // Its point says its figure to whoever points at it.
    const std::string said = fmt::format(": {:.2f}?</title>", expected);
    EXPECT_THAT(elements, HasSubstr(said)) << i;
  }
  EXPECT_THAT(elements, HasSubstr("What does a packet cost on Xen"));
  EXPECT_THAT(elements, HasSubstr("xenvif_tx_action"));
  EXPECT_THAT(elements, HasSubstr("aria-label=\"Instructions per KB: native"));
  std::size_t points = 0;
  for (std::size_t at = 0; (at = page_.find("<circle", at)) != std::string::npos; ++at) ++points;
  EXPECT_EQ(points, 2 * 40 * 1U);  // 20 combinations of two platforms, in two widths; no rates
}

TEST_F(ReportPage, ItsFlameGraphAndHeatMapAddUp) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  make(run);
  const std::string without_terms = rendered();
  EXPECT_THAT(without_terms,
              HasSubstr("<details class=\"fold\" id=\"terms-section\" hidden=\"\" open=\"\">"));
  EXPECT_THAT(without_terms, HasSubstr("<details class=\"fold\" id=\"functions-section\" open=\"\">"));
  run.settings = R"({"terms": true})";
  make(run);
  const std::string elements = rendered();
  const Trial& xen = run.trials[kTypical + 40];  // the headline
  const auto flame = series_of(elements, "flame");
  ASSERT_EQ(flame.size(), 1U);
  std::map<std::uint64_t, std::uint64_t> sums;  // by depth
  std::set<std::string> names;
  for (const auto& box : flame[0]["data"]) {
    sums[box["value"][2].get<std::uint64_t>()] += box["value"][3].get<std::uint64_t>();
    names.insert(box["name"].get<std::string>());
  }
  for (const std::uint64_t depth : {0U, 1U, 2U, 3U}) EXPECT_EQ(sums[depth], xen.machine_total.value) << depth;
  EXPECT_THAT(names, testing::IsSupersetOf({"guest1", "Domain-0", "xen_netback", "xenvif_tx_action"}));
  // CPU 0 and 2 of native, container and xen-pv; idle is left out.
  const auto heat = series_of(elements, "heat");
  ASSERT_EQ(heat.at(0)["data"].size(), 6U);
  double busy = 0, idle = 0;
  for (const auto& value : heat[0]["data"]) {
    if (value[1] == 2) busy += value[2].get<double>();
  }
  idle = per_kilobyte(xen, Layer::idle);
  EXPECT_NEAR(
      busy + idle,
      static_cast<double>(xen.machine_total.value) / (static_cast<double>(xen.work.bytes.value) / 1024),
      1e-6);
  EXPECT_THAT(elements, HasSubstr("<details class=\"fold\" id=\"terms-section\" open=\"\">"));
}

TEST_F(ReportPage, ShowsRatesAndFairness) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  run.settings = R"({"speed": {"cpu_mips": 1000, "link_mbps": 1000}})";
  for (Trial& trial : run.trials) {
    trial.guests = {{"guest1", Bytes(3000), Transactions(0), 1000},
                    {"guest2", Bytes(1000), Transactions(0), 1000}};
  }
  make(run);
  const std::string elements = rendered();
  const auto fairness = series_of(elements, "fairness");
  ASSERT_EQ(fairness.size(), 3U);  // native, container, xen-pv
  EXPECT_EQ(fairness[2]["data"], nlohmann::json::parse("[1.5, 0.5]"));
  EXPECT_THAT(elements, HasSubstr("Jain's fairness index native 0.800"));
  const auto rates = series_of(elements, "rates");
  ASSERT_EQ(rates.size(), 1U);
  double most = 0;
  for (const auto& bar : rates[0]["data"]) most = std::max(most, bar["value"].get<double>());
  EXPECT_DOUBLE_EQ(most, 100);
  EXPECT_THAT(elements, HasSubstr("would be full, by 1,000 million instructions a second"));
  EXPECT_THAT(elements, HasSubstr("Rates that the costs allow</h3>"));
}

TEST_F(ReportPage, ShowsWhatIsPossibleOfWhatIsOffered) {
  VTAX_NEEDS_CHROMIUM();
  make(run_at_offered_rates());
  const std::string elements = rendered();
  const auto possible = series_of(elements, "offered"), busy = series_of(elements, "offered-busy");
  ASSERT_EQ(possible.size(), 3U);  // native, container, xen-pv
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& line = possible[i]["data"];
    ASSERT_EQ(line.size(), 3U) << "below the knee, at it, beyond";
    EXPECT_EQ(line[0], nlohmann::json::parse("[100, 100]"));
    EXPECT_DOUBLE_EQ(line[1][0].get<double>(), line[1][1].get<double>());
    EXPECT_EQ(line[2][0], 1000000);
    EXPECT_DOUBLE_EQ(line[2][1].get<double>(), line[1][1].get<double>());
    EXPECT_LT(busy[i]["data"][0][1].get<double>(), 100);
    EXPECT_DOUBLE_EQ(busy[i]["data"][2][1].get<double>(), 100);
  }
  EXPECT_THAT(elements, HasSubstr("Offered and possible</h3>"));
  EXPECT_THAT(elements, HasSubstr("xen-pv has its knee at"));
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

TEST_F(ReportPage, ShowsTheCourseOfTheWindow) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  for (Trial& trial : run.trials) {
    const std::uint64_t bytes = trial.work.bytes.value, exchanges = trial.work.transactions.value;
    trial.guests = {{"guest1", trial.work.bytes, trial.work.transactions, 4'000'000}};
    trial.timeline.end_ns = {1'000'000, 4'000'000};
    trial.timeline.work = {
        {"guest1", {bytes / 2, bytes - bytes / 2}, {exchanges / 2, exchanges - exchanges / 2}}};
    for (const LedgerEntry& entry : trial.ledger)
      if (entry.kind == "instructions")
        trial.timeline.rows.push_back({entry.cpu,
                                       entry.domain,
                                       entry.layer,
                                       entry.part,
                                       {entry.value / 4, entry.value - entry.value / 4}});
  }
  make(run);
  const auto timeline = series_of(rendered(), "timeline");
  ASSERT_EQ(timeline.size(), 7U);                // six layers and the pace
  const Trial& xen = run.trials[kTypical + 40];  // the headline
  std::uint64_t driver = 0, all = 0;
  for (const LedgerEntry& entry : xen.ledger) {
    if (entry.kind != "instructions") continue;
    all += entry.value;
    if (entry.layer == Layer::driver) driver += entry.value;
  }
  // Each box: from and to in ms, from and to in instructions a ms, instructions. Slices of 1 and 3 ms.
  const auto& boxes = timeline[1]["data"];
  ASSERT_EQ(boxes.size(), 2U);
  EXPECT_EQ(boxes[0][4].get<std::uint64_t>() + boxes[1][4].get<std::uint64_t>(), driver);
  EXPECT_NEAR(boxes[0][0].get<double>(), 0, 1e-9);
  EXPECT_NEAR(boxes[0][1].get<double>(), 1, 1e-9);
  EXPECT_NEAR(boxes[1][0].get<double>(), 1, 1e-9);
  EXPECT_NEAR(boxes[1][1].get<double>(), 4, 1e-9);
  for (const auto& box : boxes)
    EXPECT_NEAR((box[1].get<double>() - box[0].get<double>()) * (box[3].get<double>() - box[2].get<double>()),
                box[4].get<double>(), 1e-3);
  // One on the other: the last layer's upper edge holds them all.
  double area = 0;
  for (const auto& box : timeline[5]["data"])
    area += (box[1].get<double>() - box[0].get<double>()) * box[3].get<double>();
  EXPECT_NEAR(area, static_cast<double>(all), 1e-3);
  // Half of the work in a quarter of the time; steps from begin to end.
  const auto& pace = timeline[6]["data"];
  ASSERT_EQ(pace.size(), 4U);
  for (const std::size_t i : {0U, 1U}) EXPECT_NEAR(pace[i][1].get<double>(), 2, 1e-9);
  for (const std::size_t i : {2U, 3U}) EXPECT_NEAR(pace[i][1].get<double>(), 2.0 / 3, 1e-9);
  EXPECT_NEAR(pace[3][0].get<double>(), 4, 1e-9);
}

// Slices of a quarter and a half of a second, natively and of a guest.
TEST_F(ReportPage, ShowsTheCourseOfAWindowOnTheHost) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  run.settings = R"({"machine": "host"})";
  run.trials = {run.trials[17], run.trials[57]};
  constexpr std::uint64_t kMs = 1'000'000;
  for (Trial& trial : run.trials) {
    trial.functions.clear();
    trial.machine_total = Instructions(0);
    trial.timeline.end_ns = {250 * kMs, 750 * kMs};
    trial.timeline.in_time = true;
    trial.timeline.devices = {
        {"system", "host", "lo", {5'000'000, 20'000'000}, {5'000'000, 20'000'000}, {1, 1}, {1, 1}, {0, 3}}};
  }
  run.trials[0].ledger = {{0, "elsewhere", Layer::elsewhere, Part::none, kCpuTimeKind, 700 * kMs},
                          {0, "idle", Layer::idle, Part::none, kCpuTimeKind, 50 * kMs},
                          {1, "elsewhere", Layer::elsewhere, Part::none, kCpuTimeKind, 40 * kMs},
                          {1, "host", Layer::kernel, Part::none, kCpuTimeKind, 400 * kMs},
                          {1, "host", Layer::program, Part::none, kCpuTimeKind, 300 * kMs},
                          {1, "idle", Layer::idle, Part::none, kCpuTimeKind, 10 * kMs}};
  run.trials[0].timeline.rows = {{0, "elsewhere", Layer::elsewhere, Part::none, {250 * kMs, 450 * kMs}},
                                 {0, "idle", Layer::idle, Part::none, {0, 50 * kMs}},
                                 {1, "elsewhere", Layer::elsewhere, Part::none, {40 * kMs, 0}},
                                 {1, "host", Layer::kernel, Part::none, {100 * kMs, 300 * kMs}},
                                 {1, "host", Layer::program, Part::none, {100 * kMs, 200 * kMs}},
                                 {1, "idle", Layer::idle, Part::none, {10 * kMs, 0}}};
  run.trials[1].ledger = {{1, "guest1", Layer::kernel, Part::none, kCpuTimeKind, 400 * kMs},
                          {1, "guest1", Layer::program, Part::none, kCpuTimeKind, 100 * kMs},
                          {1, "host", Layer::driver, Part::kernel, kCpuTimeKind, 200 * kMs},
                          {1, "idle", Layer::idle, Part::none, kCpuTimeKind, 50 * kMs}};
  run.trials[1].timeline.rows = {{1, "guest1", Layer::kernel, Part::none, {200 * kMs, 300 * kMs}, true},
                                 {1, "host", Layer::driver, Part::none, {50 * kMs, 150 * kMs}},
                                 {1, "idle", Layer::idle, Part::none, {0, 50 * kMs}}};
  run.planned_trials = 2;
  run.trials[1].index = 18;
  // The last cell of a comparison is the one that is shown.
  const auto names = [](const nlohmann::json& series) {
    std::vector<std::string> out;
    for (const auto& one : series) out.push_back(one["name"]);
    return out;
  };
  make(run);
  const std::string both = rendered();
  const auto guest = series_of(both, "timeline");
  ASSERT_THAT(names(guest), testing::ElementsAre("driver", "kernel+program", "rate"));
  EXPECT_THAT(both, HasSubstr("nothing tells the two apart within this window"));
  EXPECT_THAT(both, HasSubstr("they dropped 3 packets in the window"));
  run.trials.pop_back();
  run.planned_trials = 1;
  make(run);
  const auto native = series_of(rendered(), "timeline");
  ASSERT_THAT(names(native), testing::ElementsAre("kernel", "program", "elsewhere", "rate"));
  // Each box: from and to in s, from and to in CPUs, ns.
  const auto expect_box = [&](std::size_t series, std::size_t slice, std::array<double, 5> wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(native[series]["data"][slice][i].get<double>(), wanted[i], 1e-6) << series << " " << slice;
  };
  expect_box(0, 0, {0, .25, 0, .4, 100e6});
  expect_box(1, 1, {.25, .75, .6, 1, 200e6});
  expect_box(2, 0, {0, .25, .8, .96, 40e6});  // not of CPU 0, on which the trial was not
  for (const std::size_t i : {0U, 1U}) EXPECT_NEAR(native[3]["data"][i][1].get<double>(), 160, 1e-6);
  for (const std::size_t i : {2U, 3U}) EXPECT_NEAR(native[3]["data"][i][1].get<double>(), 320, 1e-6);
}

// Six repetitions of each cell whose counts vary: an interval; two: a word that they are too few.
TEST_F(ReportPage, ShowsHowSureSamplesAre) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  const std::vector<Trial> once{run.trials[17], run.trials[37], run.trials[57]};
  const auto repeated = [&](int times) {
    run.trials.clear();
    run.settings = R"({"machine": "host"})";
    for (int i = 0; i < times; ++i) {
      for (Trial trial : once) {
        trial.index = run.trials.size();
        trial.repetition = i + 1;
        trial.functions.clear();  // as on the host
        for (LedgerEntry& entry : trial.ledger)
          if (entry.kind == "instructions" && entry.layer == Layer::kernel)
            entry.value += static_cast<std::uint64_t>(1000 * i);
        std::uint64_t sum = 0;
        for (const LedgerEntry& entry : trial.ledger) sum += entry.kind == "instructions" ? entry.value : 0;
        trial.machine_total = Instructions(sum);
        trial.digest[0] = static_cast<char>('a' + i);
        run.trials.push_back(std::move(trial));
      }
    }
    run.planned_trials = run.trials.size();
    make(run);
    return rendered();
  };
  const std::string six = repeated(6);
  const auto whiskers = series_of(six, "layers").at(7);
  EXPECT_EQ(whiskers["name"], "95 % interval");
  ASSERT_EQ(whiskers["data"].size(), 3U);
  const double kilobytes = static_cast<double>(once[0].work.bytes.value) / 1024;
  EXPECT_NEAR(whiskers["data"][0][1].get<double>() - whiskers["data"][0][0].get<double>(), 5000 / kilobytes,
              1e-6)
      << "of six values the interval is from the least to the greatest";
  EXPECT_THAT(six, HasSubstr("over the repetitions, at 95 %. </p>"));
  EXPECT_THAT(six, HasSubstr("<details class=\"fold\" id=\"functions-section\" hidden=\"\" open=\"\">"));
  const std::string two = repeated(2);
  EXPECT_EQ(series_of(two, "layers").at(7)["data"], nlohmann::json::array());
  EXPECT_THAT(two, HasSubstr("packets, too few repetitions for an interval (5 give one), too few to tell it "
                             "from native (4 of each), differing over 2 runs"));
  EXPECT_THAT(two, HasSubstr("?: too few repetitions to tell it from native (4 of each do).</p>"));
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
              HasSubstr("instructions per compile; native: too few repetitions"));  // no packets of none
  EXPECT_THAT(elements, HasSubstr(">10.1 G  ×1.00</text>"));
  EXPECT_THAT(elements, HasSubstr(">10,079,299,800</td>"));  // the table's
}

TEST_F(ReportPage, MarkupInNamesNeverRuns) {
  VTAX_NEEDS_CHROMIUM();
  const std::string evil =
      "</script><script>document.documentElement.dataset.hacked=1</script>"
      "<img src=x onerror='document.documentElement.dataset.hacked=1'>\"'`{{data}}\\";
  vtax::Run run = synthetic_run();
  run.study = run.question = run.study_source = run.vtax_version = run.started_utc = evil;
  run.machine = nlohmann::json{{evil, evil}}.dump();
  run.settings = run.machine;
  for (Trial& trial : run.trials) {
    trial.factors["offloads"] += evil;
    trial.factors[evil] = evil;
    trial.provenance = run.machine;
    trial.devices[0].device = evil;
    trial.functions[0].function = evil;
    trial.functions[0].image = evil;
    trial.ledger.push_back({0, evil, Layer::kernel, Part::none, evil, 1});
  }
  make_failed(run.trials[3], evil);
  // Claims are a file of anyone's too.
  std::string escaped;
  for (const char c : evil) escaped += (c == '"' || c == '\\' ? std::string("\\") : std::string()) + c;
  std::string claims = synthetic_claims();
  for (const char* text : {"A made-up paper", "Receiving costs three to five times as much.",
                           "section 6, figure 1", "cost relative to native", "the lab gives no rates"}) {
    claims.replace(claims.find(text), std::string_view(text).size(), escaped);
  }
  carry_claims(run, claims);
  make(run);
  EXPECT_THAT(page_, Not(HasSubstr("<script>document")));
  EXPECT_THAT(page_, Not(HasSubstr("<img src=x")));
  const std::string elements = rendered();
  EXPECT_THAT(elements, Not(HasSubstr("data-hacked")));
  EXPECT_THAT(elements, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(elements, HasSubstr("0 of 4 claims reproduced"));  // they were read
}

TEST_F(ReportPage, ShowsPublishedBesideMeasured) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  carry_claims(run, synthetic_claims());
  make(run);
  const std::string elements = rendered();
  const auto chart = series_of(elements, "claims-chart");
  ASSERT_EQ(chart.size(), 5U);  // published, intervals, and a verdict each
  EXPECT_EQ(chart[0]["data"][0], nlohmann::json::parse("[0.75, 0, 1.25]"));  // 3 to 5
  ASSERT_EQ(chart[0]["data"].size(), 2U);                                    // both that were measured
  EXPECT_EQ(chart[0]["data"][1][0], 1);  // "most" is at least the test's limit
  EXPECT_THAT(elements, HasSubstr("The driver domain pays most of it."));
  EXPECT_THAT(elements,
              HasSubstr("A made-up paper: 1 of 4 claims reproduced, 1 not reproduced, 2 not testable"));
  for (const char* cell : {">3 to 5 times</td>", ">not reproduced</td>", ">the lab gives no rates</td>",
                           ">938 Mb/s</td>", "Claims and verdicts"}) {
    EXPECT_THAT(elements, HasSubstr(cell));
  }
  EXPECT_THAT(elements, HasSubstr("<section id=\"claims-section\" aria-labelledby=\"claims-title\">"));
}

TEST_F(ReportPage, OfClaimsThatCannotBeRead) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  carry_claims(run, "nonsense </script><script>document.documentElement.dataset.hacked=1</script>");
  make(run);
  const std::string elements = rendered();
  EXPECT_THAT(elements, HasSubstr("cannot read published claims of this run"));
  EXPECT_THAT(elements, Not(HasSubstr("data-hacked")));
}

TEST_F(ReportPage, OfARunWithoutTrials) {
  VTAX_NEEDS_CHROMIUM();
  make(synthetic_header());
  EXPECT_THAT(rendered(), HasSubstr("No trial ended: nothing was measured."));
}

TEST_F(ReportPage, OfFailedTrialsOnly) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  for (Trial& trial : run.trials) make_failed(trial, "the guest hung");
  make(run);
  EXPECT_THAT(rendered(), HasSubstr("the guest hung"));
}

TEST_F(ReportPage, NamesNoPlaceInTheNetworkToFetchFrom) {
  make(synthetic_run());
  for (const char* loading : {"src=\"http", "href=\"http", "url(http", "@import"}) {
    EXPECT_THAT(page_, Not(HasSubstr(loading)));
  }
  EXPECT_THAT(page_, HasSubstr("default-src 'none'"));
}

TEST_F(ReportPage, OfFiveHundredTrialsIsBelowFiveMegabytes) {
  vtax::Run run = synthetic_header();
  for (std::uint64_t i = 0; i < 500; ++i) {
    auto factors = synthetic_run().trials[i % 60].factors;
    factors["bytes"] = std::to_string(8'388'608 + i / 60 * 1024);
    Trial trial = synthetic_trial(i, std::move(factors));
    // As many functions as a real kernel shows.
    const FunctionCost some{"guest1", Layer::kernel, Part::none, "vmlinux", "", Instructions(0)};
    for (int f = 0; f < 1500; ++f) {
      trial.functions.push_back(some);
      trial.functions.back().function = "a_function_with_a_long_name_" + std::to_string(f);
    }
    run.trials.push_back(std::move(trial));
  }
  make(run);
  EXPECT_LT(page_.size(), 5'000'000U);
  if (run_program("command -v chromium").code != 0) return;
  // By the browser's own clock; a second is asked for on a computer that does nothing else.
  const std::string elements = browser("--timeout=20000 --dump-dom").out;
  std::smatch first_picture;
  ASSERT_TRUE(std::regex_search(elements, first_picture, std::regex("data-first-picture-ms=\"([0-9]+)\"")));
  RecordProperty("first_picture_ms", first_picture[1]);
  EXPECT_LT(std::stoi(first_picture[1]), 5'000);
}

}  // namespace
}  // namespace vtax
