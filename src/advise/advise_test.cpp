#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "advise/advice.h"
#include "advise/check_study.h"
#include "advise/commands.h"
#include "advise/figure_text.h"
#include "advise/known_by_model.h"
#include "advise/ranking_score.h"
#include "advise/text.h"
#include "predict/fit.h"
#include "study/plan.h"

namespace vtax::advise {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Instructions a KB: a law that the tests can work out by hand. The driver domain does 60 % of a guest
// platform's work.
double law(const std::string& platform, const std::string& offloads, double write) {
  double cost = 4000 * std::pow(write / 1448, -0.2);
  if (platform == "xen-pv") cost *= 3;
  if (platform == "kvm") cost *= 2.5;
  if (offloads == "on") cost *= 0.5;
  return cost;
}

predict::KnownCell cell_of(const std::string& platform, const std::string& offloads, int write) {
  predict::KnownCell cell;
  cell.factors = {{"platform", platform},
                  {"offloads", offloads},
                  {"workload", "tcp-stream"},
                  {"topology", "card"},
                  {"guests", "1"},
                  {"direction", "receive"},
                  {"cpu_mips", "500"},
                  {"write_bytes", std::to_string(write)}};
  cell.unit = Unit::kilobyte;
  const double cost = law(platform, offloads, write);
  cell.figures = {{"cost", cost}, {"layer kernel", cost}, {"rate", 1e6 / cost}, {"busy peer", 0.9}};
  const bool is_native = platform == "native";
  cell.figures[platform == "xen-pv" ? "busy Domain-0" : "busy host"] = is_native ? 1.0 : 0.6;
  if (!is_native) cell.figures["busy guest"] = 0.4;
  cell.samples = {cost * 0.995, cost, cost * 1.005};
  return cell;
}

predict::KnownCells grid() {
  predict::KnownCells known;
  for (const char* platform : {"native", "kvm", "xen-pv"})
    for (const char* offloads : {"on", "off"})
      for (const int write : {512, 1448, 4096, 16384})
        known.cells.push_back(cell_of(platform, offloads, write));
  known.sources = {{"a-study", "0.1.0", "2026-11-29T00:00:00Z", known.cells.size() * 3, "abc"}};
  return known;
}

const predict::Model& model() {
  static const predict::Model one = *predict::fit(grid(), {0}, [](const std::string&) {});
  return one;
}

const char* const kServer = R"(
name = "box"
[server]
cpus = 2
cpu_mips = 1000
platforms = ["native", "kvm", "xen-pv"]
[choose]
offloads = ["on", "off"]
[must]
most_busy_percent = 80
[[application]]
name = "files"
workload = "tcp-stream"
rate = 819.2         # 100,000 KB a second
write_bytes = 1448
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

Server server_of(const std::string& text) {
  const auto server = parse_server(text, "box.toml");
  EXPECT_TRUE(server) << server.error().text();
  return server.value_or(Server());
}

Advice advice_of(const Server& server) {
  const auto advice = advise(server, *knowledge_of(model()));
  EXPECT_TRUE(advice) << advice.error().text();
  return advice.value_or(Advice());
}

std::vector<std::string> platforms_in(const std::vector<Option>& options) {
  std::vector<std::string> all;
  for (const Option& option : options)
    all.push_back(option.placement.common.at("platform") + " " + option.placement.common.at("offloads"));
  return all;
}

TEST(Advice, PutsTheCheapestFirstAndSaysWhatDoesNotHold) {
  const Advice advice = advice_of(server_of(kServer));
  EXPECT_EQ(advice.placements, 6U);
  // CPUs of work are 100,000 KB/s x cost / 1000 MIPS: native 0.2 and 0.4, kvm 0.5 and 1, xen-pv 0.6 and 1.2,
  // of which 60 % are CPU 0's where there are guests. So all hold.
  EXPECT_THAT(platforms_in(advice.holds), testing::ElementsAre("native on", "native off", "kvm on",
                                                               "xen-pv on", "kvm off", "xen-pv off"));
  EXPECT_NEAR(advice.holds.front().cpus.value, 0.2, 1e-9);
  EXPECT_NEAR(advice.holds.front().room, 0.8 / 0.2, 1e-6);
  EXPECT_EQ(advice.contenders(), 1U);
  const Option& xen = advice.holds[3];
  EXPECT_EQ(xen.stations.all.front().name, "CPU 0 (Domain-0)");
  EXPECT_NEAR(xen.stations.all.front().utilisation, 0.36, 1e-6);
  EXPECT_NEAR(xen.stations.all.back().utilisation, 0.24, 1e-6);
}

TEST(Advice, SaysWhichLimitAndByHowMuch) {
  const Advice advice = advice_of(server_of(with(kServer, "819.2 ", "8192")));  // ten times as much
  EXPECT_TRUE(advice.holds.empty());
  const Option& nearest = advice.fails.front();
  EXPECT_EQ(nearest.placement.common.at("platform"), "native");
  EXPECT_NEAR(nearest.unmet.front().over, 2 / 0.8, 1e-6);
  EXPECT_THAT(nearest.unmet.front().text, HasSubstr("CPU 0 (files) would be 200 % busy, 80 % are allowed"));
  std::ostringstream out;
  write_advice(server_of(with(kServer, "819.2 ", "8192")), advice, model(), out);
  EXPECT_THAT(out.str(), HasSubstr("No placement holds what must"));
  EXPECT_THAT(out.str(), HasSubstr("2.50 times too much"));
}

TEST(Advice, PrintsNothingThatIsMoreThanNothingAsZero) {
  EXPECT_EQ(percent_text(0.247), "25 %");
  EXPECT_EQ(percent_text(1e-9), "less than 1 %");
  EXPECT_EQ(percent_text(0), "0 %");
  EXPECT_EQ(percent_text(12345.6), "1,234,560 %");
  EXPECT_EQ(figure_text(1e-6), "1e-06");
  EXPECT_EQ(figure_text(150), "150");
}

TEST(Advice, CountsTheCpusThatGuestsNeed) {
  const Advice advice = advice_of(server_of(with(kServer, "cpus = 2", "cpus = 1")));
  EXPECT_EQ(advice.holds.size(), 2U);  // native
  EXPECT_EQ(advice.fails.front().unmet.front().text, "it needs 2 CPUs, the server has 1");
  EXPECT_EQ(advice.fails.front().unmet.front().over, 2);
}

TEST(Advice, KnowsTheWire) {
  // 819.2 Mb/s of payload are 819.2 x 1538 / 1448 = 870 on the wire.
  const Server server = server_of(with(kServer, "cpus = 2", "cpus = 2\nlink_mbps = 1000"));
  const Advice advice = advice_of(server);
  EXPECT_TRUE(advice.holds.empty());
  EXPECT_THAT(advice.fails.front().unmet.front().text, HasSubstr("the wire, receiving would be 87 % busy"));
}

TEST(Advice, PromisesNothingBeyondTheModel) {
  const Advice advice =
      advice_of(server_of(with(kServer, "write_bytes = 1448", "write_bytes = [1448, 65536]")));
  EXPECT_EQ(advice.placements, 12U);
  EXPECT_EQ(advice.holds.size(), 6U);
  ASSERT_EQ(advice.no_promise.size(), 6U);
  EXPECT_THAT(advice.no_promise.front().second, HasSubstr("write_bytes was measured from 512 to 16384"));
}

TEST(Advice, AWorkloadThatNoRunHasIsNamed) {
  std::string text = with(kServer, "tcp-stream", "http");
  const Advice advice = advice_of(server_of(with(text, "write_bytes = 1448", "")));
  ASSERT_FALSE(advice.no_promise.empty());
  EXPECT_THAT(advice.no_promise.front().second, HasSubstr("files: no run of it has the workload http"));
}

TEST(Advice, SharedCpusAreTheSimulatorsWhereItKnowsThem) {
  const Server server = server_of(
      with(kServer, "offloads = [\"on\", \"off\"]", "offloads = \"on\"\nguest_cpu = [\"own\", \"driver\"]"));
  const Advice advice = advice_of(server);
  // Native has no guests to place, so one placement; kvm's are not the simulator's.
  EXPECT_EQ(advice.placements, 5U);
  ASSERT_EQ(advice.no_promise.size(), 1U);
  EXPECT_EQ(advice.no_promise.front().first.common.at("platform"), "kvm");
  const auto shared = std::find_if(advice.holds.begin(), advice.holds.end(), [](const Option& option) {
    return option.placement.common.contains("guest_cpu") &&
           option.placement.common.at("guest_cpu") == "driver";
  });
  ASSERT_NE(shared, advice.holds.end());
  EXPECT_NEAR(shared->stations.all.front().utilisation, 0.6, 1e-6);  // 0.36 and 0.24
  EXPECT_NEAR(shared->stations.least_share, 0.5, 1e-9);
  ASSERT_EQ(shared->simulated.size(), 1U);
  // One CPU that is busy 0.6 at this rate goes no faster than 1 / 0.6 of it.
  EXPECT_NEAR(shared->simulated.front().rate, 819.2 / 0.6, 819.2 / 0.6 * 0.05);
  EXPECT_THAT(shared->notes, testing::Contains(HasSubstr("CPUs of their own")));
}

// Exchanges of 30 us beside a stream, whose packets they wait for.
TEST(Advice, LatenciesOfSeveralApplicationsAreSimulatedTogether) {
  const CellTeller tell = [](const Factors& cell) -> Result<ToldCell> {
    const bool is_stream = cell.at("workload") == "tcp-stream";
    ToldCell told;
    told.unit = is_stream ? Unit::kilobyte : Unit::transaction;
    told.is_measured = true;
    told.of_driver = is_stream ? 6000 : 20'000;
    told.of_guests = is_stream ? 4000 : 10'000;
    told.cost.value = told.of_driver + told.of_guests;
    told.cost.interval = {told.cost.value, told.cost.value};
    told.layers = {{"kernel", told.cost.value}};
    told.rate = is_stream ? 500 : 16'000;
    return told;
  };
  constexpr int kToldMips = 500;
  const std::string text = std::string(with(kServer, "cpus = 2", "cpus = 4")) + R"(
[[application]]
name = "shop"
workload = "tcp-rr"
rate = 1000
most_p99_us = 1000
)";
  const std::string of_xen = with(with(text, "\"native\", \"kvm\", ", ""), "819.2 ", "400 ");
  const auto advice = advise(server_of(of_xen), {tell, kToldMips, {"xen-pv"}});
  ASSERT_TRUE(advice) << advice.error().text();
  ASSERT_FALSE(advice->holds.empty());
  const Option& best = advice->holds.front();
  ASSERT_EQ(best.simulated.size(), 2U);
  EXPECT_NEAR(best.simulated[0].rate, 400, 12);
  EXPECT_NEAR(best.simulated[1].rate, 1000, 20);
  ASSERT_TRUE(best.simulated[1].p99_us);
  EXPECT_GT(*best.simulated[1].p99_us, 30);
  const auto strict = advise(server_of(with(of_xen, "most_p99_us = 1000", "most_p99_us = 31")),
                             {tell, kToldMips, {"xen-pv"}});
  ASSERT_TRUE(strict) << strict.error().text();
  EXPECT_TRUE(strict->holds.empty());
  EXPECT_THAT(strict->fails.front().unmet.front().text,
              HasSubstr("1 % of the exchanges of shop take longer"));
}

TEST(ToldCell, WhatTheHostDoesOnItsGuestsCpusIsNotTheDrivers) {
  predict::KnownCells known;
  known.cells = {cell_of("kvm", "on", 1448)};
  known.cells[0].figures["busy host"] = 0.4;
  known.cells[0].figures["busy host beside guest"] = 0.2;
  const auto tell = teller_of(known);
  ASSERT_TRUE(tell) << tell.error().text();
  const auto told = (*tell)(known.cells[0].factors);
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_NEAR(told->of_driver, 0.4 * told->cost.value, 1e-6);
  EXPECT_NEAR(told->of_guests, 0.6 * told->cost.value, 1e-6);
}

TEST(Advice, AGuestsShareIsAWish) {
  const Server server =
      server_of(with(with(kServer, "offloads = [\"on\", \"off\"]", "guest_cpu = \"driver\""),
                     "most_busy_percent = 80", "least_share_percent = 60"));
  const Advice advice = advice_of(server);
  const auto xen = std::find_if(advice.fails.begin(), advice.fails.end(), [](const Option& option) {
    return option.placement.common.at("platform") == "xen-pv";
  });
  ASSERT_NE(xen, advice.fails.end());
  EXPECT_THAT(xen->unmet.front().text, HasSubstr("a guest has 50 % of a CPU for sure, 60 % are wished"));
}

TEST(Advice, TwoThatCostAlmostTheSameAreNoClearChoice) {
  predict::KnownCells known = grid();
  for (predict::KnownCell& cell : known.cells)
    if (cell.factors.at("platform") == "kvm")
      for (auto& [figure, value] : cell.figures)
        if (figure == "cost" || figure == "layer kernel")
          value =
              law("native", cell.factors.at("offloads"), std::stod(cell.factors.at("write_bytes"))) * 1.004;
  for (predict::KnownCell& cell : known.cells)
    if (cell.factors.at("platform") == "kvm")
      cell.samples = {cell.figures.at("cost") * 0.995, cell.figures.at("cost") * 1.005};
  const Server server = server_of(kServer);
  const auto advice = advise(server, *knowledge_of(known));
  ASSERT_TRUE(advice);
  EXPECT_EQ(advice->contenders(), 2U);
  std::ostringstream out;
  write_advice(server, *advice, model(), out);
  EXPECT_THAT(out.str(), HasSubstr("No clear winner: within the 90 % intervals 2 of them"));
}

TEST(AdviceText, IsOnePageOf80Columns) {
  for (const std::string& name : built_in_servers()) {
    const auto own = find_model("");
    ASSERT_TRUE(own) << own.error().text();
    const auto server = find_server(name);
    ASSERT_TRUE(server) << server.error().text();
    const auto advice = advise(*server, *knowledge_of(*own));
    ASSERT_TRUE(advice) << advice.error().text();
    EXPECT_FALSE(advice->holds.empty()) << name;
    std::ostringstream out;
    write_advice(*server, *advice, *own, out);
    std::istringstream lines(out.str());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 80U) << line;
    EXPECT_LE(count, 60) << out.str();
    std::ostringstream json;
    write_advice_json(*server, *advice, *own, json);
    const auto parsed = nlohmann::json::parse(json.str());
    EXPECT_EQ(parsed.at("holds").size(), advice->holds.size());
    EXPECT_FALSE(parsed.at("holds")[0].at("rests_on")[0].at("cells").empty());
  }
}

TEST(AdviceStudy, IsAStudyOfTheBestPlacements) {
  const auto text = study_text(server_of(kServer), advice_of(server_of(kServer)));
  ASSERT_TRUE(text) << text.error().text();
  const auto study = parse_study(*text, "check.toml");
  ASSERT_TRUE(study) << study.error().text();
  const auto plan = make_plan(*study, {});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->trials.size(), 6U * 3);
  EXPECT_EQ(plan->trials.front().factors.at("cpu_mips"), "1000");
}

TEST(Commands, SetUpWhatIsAdvised) {
  const Server server = server_of(with(with(kServer, "[\"native\", \"kvm\", \"xen-pv\"]", "[\"xen-pv\"]"),
                                       "[choose]", "[choose]\nguest_cap_percent = 50"));
  Option option;
  const auto placements = placements_of(server, {"xen-pv"});
  ASSERT_TRUE(placements);
  option.placement = placements->back();  // offloads off
  const auto files = commands_of(server, option);
  EXPECT_THAT(files.at("files.cfg"), HasSubstr("type = \"pv\""));
  EXPECT_THAT(files.at("files.cfg"), HasSubstr("cpus = \"1\""));
  EXPECT_THAT(files.at("files.cfg"), HasSubstr("cap = 50"));
  EXPECT_THAT(files.at("set.sh"), HasSubstr("ethtool -K eth0 tso off gso off gro off"));
  EXPECT_THAT(files.at("set.sh"), HasSubstr("xl sched-credit2 -d files -w 256 -c 50"));
  EXPECT_THAT(files.at("xen-boot-line"), HasSubstr("sched=credit2"));
  const auto folder = std::filesystem::path(testing::TempDir()) / "vtax-advise-commands";
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(write_commands(files, folder));
  EXPECT_FALSE(write_commands(files, folder));  // somebody may have changed them
  std::filesystem::remove_all(folder);
}

TEST(Commands, GiveEachSystemWithoutAGuestItsCpu) {
  const Advice advice =
      advice_of(server_of(with(kServer, "[\"native\", \"kvm\", \"xen-pv\"]", "[\"native\"]")));
  EXPECT_THAT(commands_of(server_of(kServer), advice.holds.front()).at("set.sh"),
              HasSubstr("systemctl set-property files.service AllowedCPUs=0"));
}

TEST(RankingScore, KendallsTauByHand) {
  EXPECT_EQ(kendall_tau({1, 2, 3}, {10, 20, 30}), 1);
  EXPECT_EQ(kendall_tau({1, 2, 3}, {30, 20, 10}), -1);
  EXPECT_NEAR(*kendall_tau({1, 2, 3, 4}, {1, 3, 2, 4}), 4.0 / 6,
              1e-12);  // one of six pairs the other way round
  EXPECT_NEAR(*kendall_tau({1, 1, 2}, {1, 2, 3}), 2 / std::sqrt(2 * 3), 1e-12);
  EXPECT_FALSE(kendall_tau({1, 1}, {1, 2}));
}

TEST(RankingScore, OfAMeasuredRun) {
  const Server server = server_of(kServer);
  predict::KnownCells run = grid();
  // Measured, kvm with offloads is the cheapest of all.
  for (predict::KnownCell& cell : run.cells)
    if (cell.factors.at("platform") == "kvm" && cell.factors.at("offloads") == "on") {
      cell.figures["cost"] *= 0.3;
      cell.figures["layer kernel"] *= 0.3;
      cell.samples = {cell.figures["cost"]};
    }
  const auto score = score_ranking(server, advice_of(server), run);
  ASSERT_TRUE(score) << score.error().text();
  EXPECT_EQ(score->placements, 6U);
  EXPECT_EQ(score->known_cells, 6U);
  EXPECT_NEAR(score->regret, 2000.0 / 1500 - 1, 1e-9);
  EXPECT_TRUE(score->best_in_top_3);                    // the third
  EXPECT_NEAR(*score->tau, (15 - 2 * 2) / 15.0, 1e-9);  // it passes two others
  EXPECT_EQ(score->told_best, "native, offloads on");
  EXPECT_EQ(score->measured_best, "kvm, offloads on");
  run.cells.resize(1);
  EXPECT_THAT(score_ranking(server, advice_of(server), run).error().why, HasSubstr("two are the least"));
  run.in_time = true;
  EXPECT_FALSE(score_ranking(server, advice_of(server), run));
}

struct Refusal {
  const char *from, *to, *why;
};
class ServerRefusal : public testing::TestWithParam<Refusal> {};
TEST_P(ServerRefusal, SaysWhatIsWrong) {
  const auto server = parse_server(with(kServer, GetParam().from, GetParam().to), "box.toml");
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ExitCode::usage);
  EXPECT_THAT(server.error().text(), HasSubstr(GetParam().why));
}
INSTANTIATE_TEST_SUITE_P(
    All, ServerRefusal,
    testing::Values(
        Refusal{"cpus = 2", "cpuz = 2", "did you mean 'cpus'"},
        Refusal{"cpus = 2\n", "", "does not say cpus"}, Refusal{"cpus = 2", "cpus = 2.5", "whole number"},
        Refusal{"cpus = 2", "cpus = nan", "number from 1"},
        Refusal{"cpu_mips = 1000", "cpu_mips = \"fast\"", "number from 1"},
        Refusal{"offloads =", "offload =", "did you mean 'offloads'"},
        Refusal{"offloads =", "sampling_hz = 1 #", "cannot be chosen"},
        Refusal{"offloads =", "platform = \"kvm\" #", "name them as platforms in [server]"},
        Refusal{"\"on\", \"off\"", "\"on\", \"of\"", "line 8"},
        Refusal{"tcp-stream", "tcp-streem", "did you mean 'tcp-stream'"},
        Refusal{"tcp-stream", "linpack", "has no rate"}, Refusal{"rate = 819.2", "#", "has no rate"},
        Refusal{"rate = 819.2", "rate = -1", "number from"},
        Refusal{"write_bytes = 1448", "bytes = 1448", "amount of work"},
        Refusal{"write_bytes = 1448", "write_bites = 1448", "did you mean 'write_bytes'"},
        Refusal{"name = \"files\"", "name = \"a b\"", "letters, digits"},
        Refusal{"most_busy_percent = 80", "most_busy_percent = 101", "from 1 to 100"},
        Refusal{"most_busy_percent = 80",
                "least_share_percent = 100\n[[application]]\nname = \"more\"\n"
                "guests = 3\nworkload = \"tcp-rr\"\nrate = 1",
                "4 guests with 100 % of a CPU each need more than 2 CPUs"},
        Refusal{
            "platforms = [\"native\", \"kvm\", \"xen-pv\"]\n[choose]\noffloads = [\"on\", \"off\"]\n[must]",
            "platforms = [\"native\"]\n[must]\nown_kernel = true", "contradict"},
        Refusal{"name = \"box\"", "name = \"box\"\nminimise = \"p99\"", "no application exchanges"},
        Refusal{"name = \"box\"", "name = \"box\"\nminimise = \"time\"", "nothing to minimise"},
        Refusal{"rate = 819.2", "most_p99_us = 5\nrate = 819.2", "no requests that wait"}));

TEST(Placements, AreCountedBeforeTheyAreMade) {
  std::string text = with(kServer, "write_bytes = 1448", "guests = [1, 2, 3, 4, 5, 6, 7]");
  text = with(text, "offloads = [\"on\", \"off\"]",
              "offloads = [\"on\", \"off\"]\nsystem_window = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
              "peer_window = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nballoon_mib = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]");
  const auto placements = placements_of(server_of(text), {"kvm", "xen-pv"});
  ASSERT_FALSE(placements);
  EXPECT_THAT(placements.error().why, HasSubstr("28000 are more than 20000"));
  const auto none = placements_of(
      server_of(with(kServer, "offloads = [\"on\", \"off\"]", "scheduler = [\"credit\", \"credit2\"]")),
      {"native", "kvm"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().why, HasSubstr("scheduler means nothing on native, kvm"));
}

TEST(WireBytes, AreFramesAndAll) {
  const WireBytes exchange = wire_bytes_of({{"workload", "tcp-rr"},
                                            {"direction", "receive"},
                                            {"request_bytes", "100"},
                                            {"response_bytes", "2896"}});
  EXPECT_EQ(exchange.received, 190);
  EXPECT_EQ(exchange.sent, 2896 + 2 * 90);
  EXPECT_FALSE(wire_bytes_of({{"workload", "program"}}).is_known);
}

}  // namespace
}  // namespace vtax::advise
