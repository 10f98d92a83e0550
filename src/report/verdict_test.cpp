#include "report/verdict.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "core/readable.h"
#include "query/testing/claims_of_synthetic_run.h"
#include "query/testing/run_on_disk.h"
#include "report/claims_text.h"
#include "report/table.h"
#include "tests/golden.h"

namespace vtax {
namespace {

using testing::HasSubstr;

// A cell of 10 KB in 20 packets. Native: kernel `kernel`. Xen: Domain-0 hypervisor and driver, guest1 the
// rest.
Cell made_cell(const std::string& platform, const std::string& write_bytes, std::uint64_t hypervisor,
               std::uint64_t driver, std::uint64_t kernel) {
  WindowCost cost;
  cost.work = {Bytes(10 * 1024), Packets(20), Transactions(0)};
  const auto add = [&](const std::string& domain, Layer layer, std::uint64_t n) {
    if (n == 0) return;
    cost.instructions[static_cast<std::size_t>(layer)] += n;
    cost.domains[domain][static_cast<std::size_t>(layer)] += n;
    cost.total += n;
  };
  add("Domain-0", Layer::hypervisor, hypervisor);
  add("Domain-0", Layer::driver, driver);
  add(platform == "native" ? "host" : "guest1", Layer::kernel, kernel);
  Cell cell;
  cell.factors = {
      {"platform", platform}, {"workload", "tcp-stream"}, {"offloads", "off"}, {"write_bytes", write_bytes}};
  cell.runs = {cost};
  cell.median = 0;
  return cell;
}

RunCosts made_costs() {
  RunCosts costs;
  costs.cells = {made_cell("native", "500", 0, 0, 1000), made_cell("native", "1000", 0, 0, 800),
                 made_cell("xen-pv", "500", 600, 1400, 2000), made_cell("xen-pv", "1000", 800, 1600, 600),
                 made_cell("xen-pv", "1500", 700, 1500, 700)};
  return costs;
}

// The claim with these lines as its test.
JudgedClaim judged(const std::string& lines, const RunCosts& costs = made_costs(),
                   const vtax::Run& header = {}) {
  static std::vector<Published> kept;  // JudgedClaim points into it
  kept.reserve(100);
  auto parsed = parse_published(
      "paper = \"p\"\n[cells]\nworkload = \"tcp-stream\"\n[[claim]]\nid = \"a\"\nsays = \"s\"\n"
      "source = \"t\"\nquantity = \"q\"\npublished = 1\n" +
          lines,
      "test");
  EXPECT_TRUE(parsed) << parsed.error().text();
  if (!parsed) return {};
  kept.push_back(std::move(*parsed));
  return judge(kept.back(), header, costs).front();
}

struct Worked {
  const char* name;
  const char* lines;
  double measured;
};

class WorkedExamples : public testing::TestWithParam<Worked> {};

TEST_P(WorkedExamples, AreMeasuredAsByHand) {
  const auto result = judged(std::string(GetParam().lines) + "\nat_least = 0\n");
  ASSERT_TRUE(result.measured) << result.reason;
  EXPECT_NEAR(*result.measured, GetParam().measured, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    All, WorkedExamples,
    testing::Values(
        // 4000 instructions / 10 KB
        Worked{"ValuePerKb",
               "formula = \"value\"\nper = \"KB\"\nof = { platform = \"xen-pv\", write_bytes = 500 }", 400},
        Worked{"ValuePerPacket",
               "formula = \"value\"\nper = \"packet\"\nof = { platform = \"xen-pv\", write_bytes = 500 }",
               200},
        // 4000 / 1000
        Worked{"RatioOfPlatforms",
               "formula = \"ratio\"\nper = \"KB\"\nof = { platform = \"xen-pv\", write_bytes = 500 }\n"
               "to = { platform = \"native\" }",
               4},
        // (600 + 1400) / 4000
        Worked{"RatioOfLayers",
               "formula = \"ratio\"\nper = \"KB\"\nof = { platform = \"xen-pv\", write_bytes = 500, "
               "layers = [\"driver\", \"hypervisor\"] }\nto = { layers = [] }",
               0.5},
        // (800 + 1600) / 600
        Worked{"RatioOfDomains",
               "formula = \"ratio\"\nper = \"KB\"\nof = { platform = \"xen-pv\", write_bytes = 1000, "
               "domain = \"Domain-0\" }\nto = { domain = \"guest1\" }",
               4},
        // A layer of a domain: 1400 / 20 packets
        Worked{"LayerOfDomain",
               "formula = \"value\"\nper = \"packet\"\nof = { platform = \"xen-pv\", write_bytes = 500, "
               "domain = \"Domain-0\", layers = [\"driver\"] }",
               70},
        // Domain-0 per packet: 100, 120, 110: 120 / 100
        Worked{"Spread",
               "formula = \"spread\"\nper = \"packet\"\nof = { platform = \"xen-pv\", domain = "
               "\"Domain-0\" }\nover = { write_bytes = [500, 1000, 1500] }",
               1.2},
        // The same points over 500, 1000, 1500: ((-500)(-10) + 500 * 0) / (500^2 + 500^2) = 5000 / 500000
        Worked{"Slope",
               "formula = \"slope\"\nper = \"packet\"\nof = { platform = \"xen-pv\", domain = "
               "\"Domain-0\" }\nover = { write_bytes = [500, 1000, 1500] }",
               0.01}),
    [](const auto& tested) { return tested.param.name; });

constexpr const char* kRatio =
    "formula = \"ratio\"\nper = \"KB\"\nof = { platform = \"xen-pv\", write_bytes = 500 }\n"
    "to = { platform = \"native\" }\n";  // 4

TEST(Verdicts, ARateNeedsASpeed) {
  const std::string claim =
      "formula = \"rate\"\nof = { platform = \"native\", write_bytes = 500 }\nat_least = 81\nat_most = 82\n";
  auto costs = made_costs();
  EXPECT_EQ(judged(claim, costs).reason, "a rate needs the machine's speed: the study has no [speed]");
  // 10 KB for 1000 instructions of one CPU; a million instructions a second.
  costs.cells[0].runs[0].cpus[0] = costs.cells[0].runs[0].instructions;
  vtax::Run header;
  header.settings = R"({"speed": {"cpu_mips": 1}})";
  const auto rate = judged(claim, costs, header);
  ASSERT_TRUE(rate.measured) << rate.reason;
  EXPECT_NEAR(*rate.measured, 81.92, 1e-9);
  EXPECT_EQ(rate.verdict, Verdict::reproduced);
}

// Cells with a clock: native has 10 KB in 1 ms, 81.92 Mb/s; Xen's two guests 5 KB each, in 4 ms and in 1 ms.
RunCosts timed_costs() {
  auto costs = made_costs();
  WindowCost& native = costs.cells[0].runs[0];
  native.window_ns = 1'000'000;
  native.busy = {{0, "host", 900'000}};
  native.waiting = {{"native", 10, 60'000, 1000, 5000, 8000, 9000, 9000, 9000}};
  WindowCost& xen = costs.cells[2].runs[0];
  xen.window_ns = 4'000'000;
  xen.busy = {{0, "Domain-0", 3'000'000}};
  xen.guests = {{"guest1", Bytes(5120), Transactions(0), 4'000'000},
                {"guest2", Bytes(5120), Transactions(0), 1'000'000}};
  xen.waiting = {{"guest1", 10, 90'000, 1000, 10'000, 11'000, 27'000, 30'000, 30'000},
                 {"guest2", 10, 90'000, 1000, 12'000, 13'000, 20'000, 40'000, 40'000}};
  return costs;
}

constexpr const char* kOfXen = "of = { platform = \"xen-pv\", write_bytes = 500 }\n";
constexpr const char* kToNative = "to = { platform = \"native\" }\n";

TEST(Verdicts, ARateIsMeasuredWhereTheMachineHasAClock) {
  const auto measured = [](const std::string& lines) {
    const auto result = judged("formula = \"rate\"\nat_least = 0\n" + lines, timed_costs());
    EXPECT_TRUE(result.measured) << result.reason;
    return result.measured.value_or(-1);
  };
  EXPECT_NEAR(measured(kOfXen), 20.48, 1e-9);
  EXPECT_NEAR(measured(std::string(kOfXen) + kToNative), 0.25, 1e-9);
  const auto of_guest = [](const char* guest) {
    return std::string("of = { platform = \"xen-pv\", write_bytes = 500, domain = \"") + guest + "\" }\n";
  };
  EXPECT_NEAR(measured(of_guest("guest1")), 10.24, 1e-9);
  EXPECT_NEAR(measured(of_guest("guest2")), 40.96, 1e-9);
  EXPECT_THAT(judged("formula = \"rate\"\nat_least = 0\n" + of_guest("guest3"), timed_costs()).reason,
              HasSubstr("has no rate of guest3 alone"));
}

TEST(Verdicts, FairnessIsJainsIndexOfTheGuestsRates) {
  const auto fair = judged(std::string("formula = \"fairness\"\nat_least = 0\n") + kOfXen, timed_costs());
  ASSERT_TRUE(fair.measured) << fair.reason;
  EXPECT_NEAR(*fair.measured, 25.0 / (2 * 17), 1e-9);  // rates of 1 and 4
  EXPECT_THAT(
      judged("formula = \"fairness\"\nat_least = 0\nof = { platform = \"native\", write_bytes = 500 }\n",
             timed_costs())
          .reason,
      HasSubstr("has no two guests"));
}

TEST(Verdicts, ALatencyIsThatOfTheGuestThatWaitedLongest) {
  const auto measured = [](int percentile, const std::string& lines) {
    const auto result =
        judged(fmt::format("formula = \"latency\"\npercentile = {}\nat_least = 0\n{}", percentile, lines),
               timed_costs());
    EXPECT_TRUE(result.measured) << result.reason;
    return result.measured.value_or(-1);
  };
  EXPECT_NEAR(measured(50, kOfXen), 12, 1e-9);
  EXPECT_NEAR(measured(90, kOfXen), 13, 1e-9);
  EXPECT_NEAR(measured(99, kOfXen), 27, 1e-9);
  EXPECT_NEAR(measured(99, std::string(kOfXen) + kToNative), 3, 1e-9);
  EXPECT_THAT(judged(std::string("formula = \"latency\"\npercentile = 50\nat_least = 0\n") + kOfXen).reason,
              HasSubstr("measured no latency"));
}

TEST(Verdicts, AnEventStandsInPlaceOfInstructions) {
  const std::string claim =
      "formula = \"ratio\"\nper = \"packet\"\nat_least = 0\n"
      "of = { platform = \"xen-pv\", write_bytes = 500, event = \"l2_misses\" }\nto = { platform = "
      "\"native\" }\n";
  auto costs = made_costs();
  EXPECT_THAT(judged(claim, costs).reason, HasSubstr("counted no l2_misses"));  // none is not "0"
  costs.cells[2].runs[0].events["l2_misses"] = 60;
  costs.cells[0].runs[0].events["l2_misses"] = 40;
  const auto ratio = judged(claim, costs);
  ASSERT_TRUE(ratio.measured) << ratio.reason;
  EXPECT_NEAR(*ratio.measured, 1.5, 1e-9);
}

TEST(Verdicts, PointsSayHowMuchMoreOneThingCostsHere) {
  // xen-pv pays 4000 where its base pays 3000, native 1000 where it pays 800: 133.3 % less 125 %.
  const auto points = judged(
      "formula = \"points\"\nper = \"KB\"\nat_least = 0\nof = { platform = \"xen-pv\", write_bytes = 500 }\n"
      "to = { platform = \"native\" }\nbase = { write_bytes = 1000 }\n");
  ASSERT_TRUE(points.measured) << points.reason;
  EXPECT_NEAR(*points.measured, 100 * (4000.0 / 3000 - 1000.0 / 800), 1e-9);
}

// docs/study-files.md: native was measured once, with driver_cpus = 1, for both.
TEST(Verdicts, ACellStandsForAllValuesOfAFactorThatWasSetAside) {
  RunCosts costs;
  costs.cells = {made_cell("native", "500", 0, 0, 1000), made_cell("xen-pv", "500", 600, 1400, 2000)};
  costs.cells[0].factors["driver_cpus"] = "1";
  costs.cells[1].factors["driver_cpus"] = "2";
  const std::string lines =
      "formula = \"ratio\"\nper = \"KB\"\nat_least = 1\n"
      "of = { platform = \"xen-pv\", driver_cpus = 2 }\nto = { platform = \"native\" }\n";
  EXPECT_THAT(judged(lines, costs).reason, HasSubstr("is not in this run"));
  costs.set_aside = {{"native", {"driver_cpus"}}};
  EXPECT_DOUBLE_EQ(judged(lines, costs).measured.value_or(0), 4);
}

TEST(Verdicts, LimitsAreIncluded) {
  EXPECT_EQ(judged(kRatio + std::string("at_least = 4\nat_most = 4\n")).verdict, Verdict::reproduced);
  EXPECT_EQ(judged(kRatio + std::string("at_least = 4.01\n")).verdict, Verdict::not_reproduced);
  EXPECT_EQ(judged(kRatio + std::string("at_least = 4.01\n")).reason, "4.00 is not at least 4.01");
  EXPECT_EQ(judged(kRatio + std::string("at_most = 3.99\n")).verdict, Verdict::not_reproduced);
  EXPECT_EQ(judged(kRatio + std::string("at_least = 3\nat_most = 5\nnote = \"why\"\n")).reason,
            "4.00 is from 3 to 5; why");
}

// Xen's 400 per KB at five starts, the middle one of which is the median; native's 100 at all of them.
RunCosts five_starts(const std::vector<std::uint64_t>& drivers) {
  auto costs = made_costs();
  for (Cell& cell : costs.cells) cell.runs = std::vector<WindowCost>(drivers.size(), cell.runs[0]);
  costs.cells[2].runs.clear();
  costs.cells[2].median = (drivers.size() - 1) / 2;
  for (const std::uint64_t driver : drivers)
    costs.cells[2].runs.push_back(*made_cell("xen-pv", "500", 600, driver, 2000).cost());
  return costs;
}

TEST(Verdicts, AnIntervalAcrossALimitIsUndecided) {
  const auto wide = five_starts({900, 1200, 1400, 1500, 2400});  // 3.5 to 5.0
  const auto undecided = judged(kRatio + std::string("at_least = 3\nat_most = 4.5\n"), wide);
  EXPECT_EQ(undecided.verdict, Verdict::undecided);
  EXPECT_EQ(undecided.measured, 4);
  ASSERT_TRUE(undecided.interval);
  EXPECT_NEAR(undecided.interval->low, 3.5, 1e-9);
  EXPECT_NEAR(undecided.interval->high, 5, 1e-9);
  EXPECT_EQ(undecided.reason, "4.00 (3.50 to 5.00) may be, or not, from 3 to 4.5");
  EXPECT_EQ(judged(kRatio + std::string("at_least = 3\nat_most = 6\n"), wide).verdict, Verdict::reproduced);
  EXPECT_EQ(judged(kRatio + std::string("at_least = 5.1\n"), wide).verdict, Verdict::not_reproduced);
  // Outside at both ends, with the middle inside.
  EXPECT_EQ(judged(kRatio + std::string("at_least = 3.9\nat_most = 4.1\n"), wide).verdict,
            Verdict::undecided);
  // Fewer have no interval.
  const auto few =
      judged(kRatio + std::string("at_least = 3\nat_most = 4.5\n"), five_starts({900, 1400, 2400}));
  EXPECT_FALSE(few.interval);
  EXPECT_EQ(few.verdict, Verdict::reproduced);
  EXPECT_EQ(count_verdicts({undecided, few}),
            "1 of 2 claims reproduced, 0 not reproduced, 1 undecided, 0 not testable here.");
}

TEST(Verdicts, AFigureBesideALimitDoesNotContradictIt) {
  auto costs = made_costs();
  costs.cells[2] = made_cell("xen-pv", "500", 600, 1400, 2004);  // 4.004
  EXPECT_EQ(judged(kRatio + std::string("at_most = 4\n"), costs).reason, "4.004 is not at most 4");
}

TEST(Verdicts, WhatQuickLeftOutIsCalledThat) {
  vtax::Run header;
  header.settings = R"({"quick": true, "left_out": {"guests": ["5"]}})";
  const std::string claim =
      "formula = \"value\"\nper = \"KB\"\nat_least = 1\nof = { platform = \"xen-pv\", guests = 5 }\n";
  const auto left_out = judged(claim, made_costs(), header);
  EXPECT_EQ(left_out.verdict, Verdict::left_out);
  EXPECT_EQ(left_out.reason, "left out by --quick: guests 5");
  EXPECT_EQ(judged(claim).verdict, Verdict::not_testable);
}

TEST(Verdicts, PacketsThatAreNotAlikeAreNotCompared) {
  const std::string claim =
      "formula = \"ratio\"\nper = \"packet\"\nat_least = 1\n"
      "of = { platform = \"xen-pv\", write_bytes = 500 }\nto = { platform = \"native\" }\n";
  auto costs = made_costs();
  EXPECT_TRUE(judged(claim, costs).measured);
  costs.cells[2].runs[0].work.packets = Packets(1);
  EXPECT_THAT(judged(claim, costs).reason, HasSubstr("packets are not alike: 1 of xen-pv"));
}

// The claim's figure and the table's tax of one cell differ by idle: both are named.
TEST(Verdicts, WithoutIdleIsSaidBesideTheTax) {
  auto costs = made_costs();
  costs.cells[0].runs[0].instructions[static_cast<std::size_t>(Layer::idle)] += 1000;
  const auto judgement = judged(
      "formula = \"ratio\"\nper = \"KB\"\nat_least = 3\n"
      "of = { platform = \"xen-pv\", write_bytes = 500, layers = [\"hypervisor\", \"driver\", \"kernel\", "
      "\"program\", \"uncharged\"] }\nto = { platform = \"native\" }\n",
      costs);
  EXPECT_EQ(judgement.reason, "4.00 is at least 3; without idle, with which it is 2.00");
}

TEST(Verdicts, WithoutItsCellsAClaimIsNotTestable) {
  auto costs = made_costs();
  costs.cells.erase(costs.cells.begin());
  const auto missing = judged(kRatio + std::string("at_least = 1\n"), costs);
  EXPECT_EQ(missing.verdict, Verdict::not_testable);
  EXPECT_FALSE(missing.measured);
  EXPECT_EQ(missing.reason, "cell native, tcp-stream, 500 B writes is not in this run");

  costs = made_costs();
  costs.cells[0].median.reset();
  EXPECT_THAT(judged(kRatio + std::string("at_least = 1\n"), costs).reason, HasSubstr("did not end"));

  costs = made_costs();
  costs.cells.push_back(costs.cells[0]);
  costs.cells.back().factors["offloads"] = "on";
  EXPECT_EQ(judged(kRatio + std::string("at_least = 1\n"), costs).reason,
            "2 cells of this run fit native, tcp-stream, 500 B writes: they differ in offloads");

  costs = made_costs();
  costs.cells.pop_back();
  const auto spread = judged(
      "formula = \"spread\"\nper = \"packet\"\nof = { platform = \"xen-pv\" }\n"
      "over = { write_bytes = [500, 1000, 1500] }\nat_most = 2\n",
      costs);
  EXPECT_EQ(spread.reason, "cell xen-pv, tcp-stream, 1500 B writes is not in this run");
}

TEST(Verdicts, NothingIsDividedByNothing) {
  const std::string value = "formula = \"value\"\nper = \"transaction\"\nat_least = 0\n";
  EXPECT_THAT(judged(value + "of = { platform = \"native\", write_bytes = 500 }\n").reason,
              HasSubstr("counted no transaction"));
  EXPECT_THAT(judged("formula = \"ratio\"\nper = \"KB\"\nat_least = 0\n"
                     "of = { platform = \"native\", write_bytes = 500 }\nto = { layers = [\"driver\"] }\n")
                  .reason,
              HasSubstr("to divide by is 0"));
  EXPECT_THAT(judged("formula = \"value\"\nper = \"KB\"\nat_least = 0\n"
                     "of = { platform = \"native\", write_bytes = 500, domain = \"Domain-0\" }\n")
                  .reason,
              HasSubstr("has no domain Domain-0"));
}

std::string section_of(const Run& run) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  const auto costs = read_costs(reader);
  EXPECT_TRUE(costs);
  std::ostringstream out;
  print_claims(out, reader.header(), *costs, TableDetail::all);
  return out.str();
}

TEST(ClaimsText, IsAsItWas) {
  vtax::Run run = synthetic_run();
  carry_claims(run, synthetic_claims());
  const std::string section = section_of(run);
  expect_golden(section, "claims.txt");
  std::istringstream lines(section);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
}

TEST(ClaimsText, GivesTheTrialsOwnFigures) {
  vtax::Run run = synthetic_run();
  carry_claims(run, synthetic_claims());
  // Card, offloads off, receiving, 64 KiB writes: the same cells as in table_test.
  const double ratio = static_cast<double>(run.trials[57].machine_total.value) /
                       static_cast<double>(run.trials[17].machine_total.value);
  ASSERT_EQ(run.trials[57].factors.at("platform"), "xen-pv");
  EXPECT_THAT(section_of(run), HasSubstr(readable(ratio) + " is from 3 to 5; instructions"));
}

TEST(ClaimsText, IsNotThereWithoutClaims) {
  EXPECT_EQ(section_of(synthetic_run()), "");
}

TEST(ClaimsText, ClaimsThatCannotBeReadLeaveTheReport) {
  vtax::Run run = synthetic_run();
  carry_claims(run, "paper = \"\x1b[5m\"");
  EXPECT_THAT(section_of(run), HasSubstr("cannot read published claims of this run"));
  EXPECT_THAT(section_of(run), testing::Not(HasSubstr("\x1b")));
  run.settings = R"({"published": [1]})";
  EXPECT_THAT(section_of(run), HasSubstr("they are not text"));
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  EXPECT_TRUE(write_table(reader, out, TableDetail::all));
  EXPECT_THAT(out.str(), HasSubstr("COST BY LAYER"));
}

}  // namespace
}  // namespace vtax
