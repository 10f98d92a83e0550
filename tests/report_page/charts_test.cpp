#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "query/testing/claims_of_synthetic_run.h"
#include "tests/report_page/report_page.h"

namespace vtax {
namespace {

using testing::HasSubstr;

double per_kilobyte(const Trial& trial, Layer layer) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger) {
    if (entry.kind == "instructions" && entry.layer == layer) sum += entry.value;
  }
  return static_cast<double>(sum) / (static_cast<double>(trial.work.bytes.value) / 1024);
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
  // CPU 0 of native, container and xen-pv, CPU 2 of xen-pv, which others have not; idle is left out.
  const auto heat = series_of(elements, "heat");
  // Its button is below it, not beside it.
  EXPECT_THAT(elements, HasSubstr(">Save SVG</button></div>\n<div><div id=\"kiviat\""));
  ASSERT_EQ(heat.at(0)["data"].size(), 4U);
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

}  // namespace
}  // namespace vtax
