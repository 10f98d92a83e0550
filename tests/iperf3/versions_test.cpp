// vtax with iperf3 of different versions: the one that is installed and the other one that
// scripts/fetch-iperf3 has unpacked, in both roles, over loss, with everything that changes what is counted.
// Versions from 3.13 on say of each stream what belongs to the omitted time.

#include <gmock/gmock.h>

#include "tests/iperf3/iperf3_bench.h"
#include "tests/iperf3/lossy_relay.h"

namespace vtax::iperf3 {
namespace {

using testing::HasSubstr;

constexpr unsigned kDroppedOneIn = 10;

class Iperf3Version : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const auto program = GetParam() ? other_stock_program() : stock_program();
    if (!program && GetParam())
      GTEST_SKIP() << "no second iperf3: scripts/fetch-iperf3 has not run, or found none";
    if (!program) GTEST_SKIP() << "iperf3 is not installed";
    program_ = *program;
  }

  json client(std::uint16_t port, const Words& options) const {
    const auto end =
        run_program(joined({program_, "-c", "127.0.0.1", "-p", std::to_string(port), "-J"}, options));
    EXPECT_EQ(end.exit_code, 0) << end.out;
    return json_in(end.out);
  }

  std::string program_;
};

std::string words_of(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += word + " ";
  return out;
}

// One in ten is dropped: that is what the receiver must say, whoever it is.
void expect_one_in_ten(const json& lost, const json& packets, const std::string& what) {
  ASSERT_TRUE(lost.is_number() && packets.is_number()) << what << lost << packets;
  const auto all = packets.get<double>();
  ASSERT_GT(all, 100) << what;
  EXPECT_NEAR(lost.get<double>() / all, 1.0 / kDroppedOneIn, 0.03) << what;
}

TEST_P(Iperf3Version, ItsClientHearsOfVtaxLosses) {
  const Serving server(false);
  const LossyRelay relay(server.port, kDroppedOneIn);
  for (const Words& more : {Words{}, Words{"-R"}, Words{"-O", "1"}, Words{"-R", "-O", "1"}, Words{"-P", "3"},
                            Words{"-P", "2", "-O", "1", "--udp-counters-64bit"}, Words{"--bidir"}}) {
    const std::string what = words_of(more);
    const json told = client(relay.port, joined({"-u", "-b", "4M", "-l", "1000", "-t", "1"}, more));
    ASSERT_FALSE(told.contains("error")) << what << told["error"];
    const json& end = told["end"];
    expect_one_in_ten(end["sum"]["lost_packets"], end["sum"]["packets"], what + end["sum"].dump());
    EXPECT_GT(end["sum_sent"]["packets"], 300) << what;
    EXPECT_GT(end["sum_received"]["packets"], 300) << what;
    EXPECT_LE(end["sum_received"]["packets"], end["sum_sent"]["packets"].get<double>() * 1.15) << what;
  }
}

TEST_P(Iperf3Version, VtaxHearsOfItsServersLosses) {
  const std::uint16_t port = http::free_port();
  const auto server = PeerProgram::start({program_, "-s", "-B", "127.0.0.1", "-p", std::to_string(port)});
  ASSERT_TRUE(server);
  ASSERT_TRUE(listens(port));
  const LossyRelay relay(port, kDroppedOneIn);
  for (const Words& more : {Words{}, Words{"--reverse"}, Words{"--warmup", "1s"},
                            Words{"--reverse", "--warmup", "1s"}, Words{"--flows", "3"}, Words{"--bidir"}}) {
    const std::string what = words_of(more);
    const auto run = vtax_client(
        relay.port, joined({"--udp", "--rate", "4M", "--write", "1000", "--duration", "1s"}, more));
    ASSERT_EQ(run.exit_code, 0) << what << run.out;
    const json outcome = json_in(run.out);
    ASSERT_TRUE(outcome.is_object()) << run.out;
    const json& receiver = outcome["repeats"][0]["sides"][0];
    const auto share = std::find_if(receiver["metrics"].begin(), receiver["metrics"].end(),
                                    [](const json& metric) { return metric["name"] == "loss"; });
    const bool unknown = outcome["warnings"].dump().find("is not known") != std::string::npos;
    if (unknown) {
      // Before 3.13 it does not say what was lost in the omitted time: then there is no figure.
      EXPECT_EQ(share, receiver["metrics"].end()) << what;
      EXPECT_FALSE(receiver["failures"].contains("lost")) << what;
      EXPECT_TRUE(has(more, "--warmup") && !has(more, "--reverse")) << what;
      continue;
    }
    ASSERT_NE(share, receiver["metrics"].end()) << what << receiver;
    EXPECT_NEAR((*share)["value"].get<double>(), 1.0 / kDroppedOneIn, 0.03) << what << receiver;
    std::this_thread::sleep_for(milliseconds(150));
  }
}

TEST_P(Iperf3Version, WhatItsClientReceivesVtaxHasSent) {
  const Serving server(false);
  // Of what it sends itself it does not count its last writes, from 3.16 on.
  for (const Words& more : {Words{"-R"}, Words{"-R", "-P", "2"}, Words{"--bidir"}}) {
    const json end = client(server.port, joined({"-t", "1"}, more))["end"];
    const std::string suffix = has(more, "--bidir") ? "_bidir_reverse" : "";
    EXPECT_GT(end["sum_received" + suffix]["bytes"], 0) << words_of(more);
    EXPECT_LE(end["sum_received" + suffix]["bytes"], end["sum_sent" + suffix]["bytes"]) << words_of(more);
  }
}

INSTANTIATE_TEST_SUITE_P(, Iperf3Version, testing::Values(false, true),
                         [](const auto& which) { return which.param ? "Other" : "Installed"; });

// Of one side alone: its intervals are its whole, and nothing is received that was not sent.
TEST(Iperf3Sums, IntervalsAddUpToTheEnd) {
  const Serving server(false);
  for (const Words& more :
       {Words{}, Words{"--reverse"}, Words{"--flows", "2"}, Words{"--bidir"}, Words{"--warmup", "1s"},
        Words{"--warmup", "1s", "--reverse"}, Words{"--bytes", "20M"}, Words{"--bytes", "20M", "--reverse"},
        Words{"--udp", "--rate", "200M"}, Words{"--udp", "--rate", "200M", "--reverse"}}) {
    const auto run =
        vtax_client(server.port,
                    joined(has(more, "--bytes") ? Words{"--interval", "10ms"}
                                                : Words{"--interval", "15ms", "--duration", "200ms"},
                           more),
                    "iperf3");
    ASSERT_EQ(run.exit_code, 0) << run.out;
    const json told = json_in(run.out);
    ASSERT_TRUE(told.is_object()) << run.out;
    for (const std::string suffix : {"", "_bidir_reverse"}) {
      double bytes = 0, packets = 0, lost = 0;
      for (const json& interval : told["intervals"]) {
        if (!interval.contains("sum" + suffix)) continue;
        const json& sum = interval["sum" + suffix];
        if (sum["omitted"] == true) continue;
        bytes += sum["bytes"].get<double>();
        packets += sum.value("packets", 0.0);
        lost += sum.value("lost_packets", 0.0);
      }
      if (!told["end"].contains("sum_sent" + suffix)) continue;
      const bool sends = suffix.empty() && !told["start"]["test_start"]["reverse"].get<int>();
      const json& whole = told["end"][(sends ? "sum_sent" : "sum_received") + suffix];
      EXPECT_EQ(bytes, whole["bytes"].get<double>()) << words_of(more) << suffix;
      if (!has(more, "--udp")) continue;
      EXPECT_EQ(packets, whole["packets"].get<double>()) << words_of(more);
      EXPECT_EQ(lost, sends ? 0 : whole["lost_packets"].get<double>()) << words_of(more);
    }
    if (!has(more, "--warmup")) {  // which ends with some of it under way
      EXPECT_LE(told["end"]["sum_received"]["bytes"], told["end"]["sum_sent"]["bytes"]) << words_of(more);
    }
  }
}

TEST(Iperf3Failure, IsAnObjectWithAnError) {
  const auto failed = [](const std::string& format) {
    const auto run = vtax_client(1, {"--duration", "1s"}, format);
    EXPECT_EQ(run.exit_code, 4);
    return json_in(run.out.substr(run.out.find('{')));
  };
  const json stock = failed("iperf3"), own = failed("json");
  for (const char* key : {"start", "intervals", "end"}) EXPECT_TRUE(stock.contains(key)) << key;
  EXPECT_THAT(stock["error"].get<std::string>(), HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(own["error"]["what"].get<std::string>(), HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(own["repeats"], json::array());
}

TEST(Iperf3Failure, AnInterruptionLeavesWhatWasMeasured) {
  const Serving server(false);
  for (const Words& more : {Words{}, Words{"--reverse"}, Words{"--udp", "--rate", "10M"}}) {
    auto client =
        PeerProgram::start(joined({VTAX_PROGRAM, "workload", "iperf3-client", "127.0.0.1", "--port",
                                   std::to_string(server.port), "--duration", "20s", "--format", "json"},
                                  more));
    ASSERT_TRUE(client);
    std::this_thread::sleep_for(milliseconds(700));
    client->signal(SIGINT);
    const auto end = client->wait(seconds(10));
    EXPECT_EQ(end.exit_code, 130) << end.out;
    const json outcome = json_in(end.out);
    ASSERT_TRUE(outcome.is_object()) << end.out;
    EXPECT_EQ(outcome["interrupted"], true);
    for (const json& side : outcome["repeats"][0]["sides"]) EXPECT_GT(side["work"]["bytes"], 0) << side;
    EXPECT_LT(outcome["repeats"][0]["sides"][0]["duration_ns"], 10'000'000'000);
    EXPECT_THAT(end.out, testing::Not(HasSubstr("trial")));
  }
}

}  // namespace
}  // namespace vtax::iperf3
