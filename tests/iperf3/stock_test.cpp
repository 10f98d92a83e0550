// vtax's two roles with the stock iperf3 in the other. Without it these are skipped.

#include <gmock/gmock.h>

#include "tests/iperf3/iperf3_bench.h"

namespace vtax::iperf3 {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kAmount = 10 * 1024 * 1024;

class StockIperf3 : public testing::Test {
 protected:
  void SetUp() override {
    if (!stock_program()) GTEST_SKIP() << "iperf3 is not installed";
  }
};

// One test: what the stock client says of both sides, and what vtax's server says of them.
struct Told {
  json client, server;
};
Told stock_to_vtax(const Serving& server, const Words& options) {
  const int before = server.reports();
  const auto end = stock_client(server.port, options);
  EXPECT_EQ(end.exit_code, 0) << end.out;
  const json client = json_in(end.out);
  EXPECT_FALSE(client.contains("error")) << client["error"];
  for (int i = 0; i < 250 && server.reports() == before; ++i) std::this_thread::sleep_for(milliseconds(10));
  return {client, server.last_report()};
}

TEST_F(StockIperf3, ItsClientMeasuresVtax) {
  const Serving server(false, {"--json"});
  for (const auto& [options, reverse] : std::vector<std::pair<Words, bool>>{
           {{"-P", "3", "-N", "-M", "1000", "-w", "256K", "-C", "cubic"}, false}, {{"-R"}, true}}) {
    const Told told = stock_to_vtax(server, joined({"-t", "1"}, options));
    const json& end = told.client["end"];
    const auto sent = end["sum_sent"]["bytes"].get<std::uint64_t>();
    const auto received = end["sum_received"]["bytes"].get<std::uint64_t>();
    EXPECT_GT(received, 0U);
    const json& sides = told.server["repeats"][0]["sides"];
    const json& here = sides[0]["side"] == "server" ? sides[0] : sides[1];
    ASSERT_EQ(here["side"], "server");
    // What each says that it did is what the other heard.
    if (reverse)
      EXPECT_EQ(here["details"]["sent_bytes"], sent);
    else
      EXPECT_EQ(here["work"]["bytes"], received);
    EXPECT_NEAR(end["sum_sent"]["seconds"].get<double>(), 1, 0.3);
    EXPECT_GT(end["cpu_utilization_percent"]["remote_total"], 0);
  }
}

TEST_F(StockIperf3, AnAmountFromItsClientArrivesToTheByte) {
  const Serving server(false, {"--json"});
  for (const Words& options : {Words{"-n", "10M"}, Words{"-n", "10M", "-P", "3"}, Words{"-k", "80"},
                               Words{"-n", "10M", "-R"}, Words{"-n", "10M", "-P", "3", "-R"}}) {
    const Told told = stock_to_vtax(server, options);
    EXPECT_EQ(told.client["end"]["sum_sent"]["bytes"], kAmount) << options.back();
    EXPECT_EQ(told.client["end"]["sum_received"]["bytes"], kAmount) << options.back();
    for (const json& side : told.server["repeats"][0]["sides"])
      EXPECT_EQ(side["work"]["bytes"], kAmount) << side["side"];
  }
}

TEST_F(StockIperf3, ItsDatagramsAreCounted) {
  const Serving server(false, {"--json"});
  for (const Words& options :
       {Words{"-t", "1"}, Words{"-n", "400K", "--udp-counters-64bit"}, Words{"-n", "400K", "-R"}}) {
    const Told told = stock_to_vtax(server, joined({"-u", "-b", "20M", "-l", "1000", "-P", "2"}, options));
    const json& sum = told.client["end"]["sum"];
    if (options[0] == "-t") {
      EXPECT_NEAR(told.client["end"]["sum_received"]["bits_per_second"].get<double>(), 40e6, 10e6);
    }
    EXPECT_GT(sum["packets"], 300);
    EXPECT_LT(sum["lost_percent"], 20);
    EXPECT_GT(sum["jitter_ms"], 0);
    const json& receiver = told.server["repeats"][0]["sides"][0];
    const auto received = told.client["end"]["sum_received"]["bytes"].get<std::uint64_t>();
    EXPECT_EQ(receiver["work"]["bytes"], received);
    EXPECT_EQ(receiver["work"]["messages"], received / 1000);
  }
}

TEST_F(StockIperf3, BothWaysOmissionAndTheServersOutputWork) {
  const Serving server(false, {"--json"});
  const Told both = stock_to_vtax(server, {"-n", "100M", "--bidir"});
  EXPECT_GT(both.client["end"]["sum_received"]["bytes"], 0);
  EXPECT_GT(both.client["end"]["sum_received_bidir_reverse"]["bytes"], 0);
  const json& side = both.server["repeats"][0]["sides"][0];
  EXPECT_EQ(side["work"]["bytes"], both.client["end"]["sum_received"]["bytes"]);
  EXPECT_EQ(side["details"]["sent_bytes"], both.client["end"]["sum_sent_bidir_reverse"]["bytes"]);
  const Told omitted = stock_to_vtax(server, {"-t", "1", "-O", "1", "-i", "0.5", "--get-server-output"});
  EXPECT_NEAR(omitted.server["repeats"][0]["sides"][0]["duration_ns"].get<double>(), 1e9, 3e8);
  EXPECT_THAT(omitted.client["server_output_text"].get<std::string>(), HasSubstr("rate"));
}

TEST_F(StockIperf3, ASecondClientIsTurnedAway) {
  const Serving server(false);
  auto first =
      PeerProgram::start({*stock_program(), "-c", "127.0.0.1", "-p", std::to_string(server.port), "-t", "1"});
  ASSERT_TRUE(first);
  std::this_thread::sleep_for(milliseconds(300));
  const auto second = stock_client(server.port, {"-t", "1"});
  EXPECT_THAT(second.out, HasSubstr("the server is busy running a test"));
  EXPECT_FALSE(first->ended());  // and is not disturbed
}

TEST_F(StockIperf3, AKilledClientEndsItsTestOnly) {
  const Serving server(false);
  for (const Words& options : {Words{"-P", "2"}, Words{"-R"}, Words{"-u", "-b", "10M"}}) {
    auto client = PeerProgram::start(joined(
        {*stock_program(), "-c", "127.0.0.1", "-p", std::to_string(server.port), "-t", "30"}, options));
    ASSERT_TRUE(client);
    std::this_thread::sleep_for(milliseconds(150));
    client->signal(SIGKILL);
    EXPECT_EQ(stock_client(server.port, {"-n", "1M"}).exit_code, 0);
  }
  EXPECT_TRUE(server.comes_to_say("a test failed"));
}

TEST_F(StockIperf3, ALongerTestThanAllowedIsRefusedInItsWords) {
  const Serving server(false, {"--duration-limit", "5s"});
  EXPECT_THAT(stock_client(server.port, {"-t", "6"}).out, HasSubstr("test duration too long"));
}

TEST_F(StockIperf3, VtaxMeasuresItsServer) {
  const Serving server(true);
  for (const Words& options :
       {Words{}, Words{"--flows", "3"}, Words{"--reverse"}, Words{"--bidir"}, Words{"--copy", "sendfile"}}) {
    const auto end = vtax_client(server.port, joined({"--duration", "210ms", "--interval", "70ms"}, options));
    ASSERT_EQ(end.exit_code, 0) << end.out;
    const json outcome = json_in(end.out);
    ASSERT_TRUE(outcome.is_object()) << end.out;
    EXPECT_EQ(outcome["warnings"], json::array());
    EXPECT_EQ(outcome["workload"], "iperf3-client");
    for (const json& side : outcome["repeats"][0]["sides"]) {
      EXPECT_GT(side["work"]["bytes"], 0) << side;
      EXPECT_NEAR(side["duration_ns"].get<double>(), 2.1e8, 1.5e8);
      EXPECT_GT(side["cpu"]["user_ns"].get<double>() + side["cpu"]["system_ns"].get<double>(), 0);
      EXPECT_EQ(side["intervals"].size(), side["side"] == "client" ? 3U : 0U);
    }
    std::this_thread::sleep_for(milliseconds(100));
  }
}

TEST_F(StockIperf3, AnAmountToOrFromItsServerIsDoneToTheByte) {
  const Serving server(true);
  for (const Words& options : {Words{}, Words{"--flows", "3"}, Words{"--reverse"}, Words{"--bidir"}}) {
    const auto end = vtax_client(server.port, joined({"--bytes", "10M"}, options));
    ASSERT_EQ(end.exit_code, 0) << end.out;
    const json outcome = json_in(end.out);
    EXPECT_EQ(outcome["warnings"], json::array());
    for (const json& side : outcome["repeats"][0]["sides"]) {
      EXPECT_EQ(side["work"]["bytes"], kAmount) << side;
      EXPECT_TRUE(side["details"]["sent_bytes"].is_null() || side["details"]["sent_bytes"] == kAmount);
    }
    std::this_thread::sleep_for(milliseconds(100));
  }
}

TEST_F(StockIperf3, VtaxSendsItsServerDatagrams) {
  const Serving server(true);
  for (const Words& options : {Words{}, Words{"--reverse"}, Words{"--bidir"}, Words{"--batch"}}) {
    const auto end = vtax_client(server.port, joined({"--udp", "--rate", "20M", "--write", "1000",
                                                      "--duration", "250ms", "--flows", "2"},
                                                     options));
    ASSERT_EQ(end.exit_code, 0) << end.out;
    const json receiver = json_in(end.out)["repeats"][0]["sides"][0];
    EXPECT_NEAR(receiver["metrics"][0]["value"].get<double>(), 40e6, 10e6);
    EXPECT_TRUE(receiver["failures"].contains("lost"));
    std::this_thread::sleep_for(milliseconds(100));
  }
}

// Every key of `stock` is there with the same type, in every object; numbers are numbers.
void expect_same_shape(const json& stock, const json& ours, const std::string& path) {
  ASSERT_EQ(stock.is_number(), ours.is_number()) << path;
  ASSERT_TRUE(stock.is_number() || stock.type() == ours.type()) << path;
  if (stock.is_object()) {
    for (const auto& [key, value] : stock.items()) {
      ASSERT_TRUE(ours.contains(key)) << path << "/" << key;
      expect_same_shape(value, ours[key], path + "/" + key);
    }
    for (const auto& [key, value] : ours.items()) EXPECT_TRUE(stock.contains(key)) << path << "/" << key;
  } else if (stock.is_array() && !stock.empty()) {
    ASSERT_EQ(stock.size(), ours.size()) << path;
    for (std::size_t i = 0; i < stock.size(); ++i)
      expect_same_shape(stock[i], ours[i], fmt::format("{}/{}", path, i));
  }
}

TEST_F(StockIperf3, ItsJsonHasTheSameKeysAndTypes) {
  const Serving server(true);
  for (const auto& [theirs, ours] : std::vector<std::pair<Words, Words>>{
           {{"-P", "2"}, {"--flows", "2"}},
           {{"-R"}, {"--reverse"}},
           {{"--bidir"}, {"--bidir"}},
           {{"-u", "-b", "50M"}, {"--udp", "--rate", "50M"}},
           {{"-u", "-b", "50M", "--bidir"}, {"--udp", "--rate", "50M", "--bidir"}}}) {
    const auto stock = stock_client(server.port, joined({"-n", "100K", "-l", "1000"}, theirs));
    std::this_thread::sleep_for(milliseconds(100));
    const auto own = vtax_client(
        server.port, joined({"--bytes", "100K", "--interval", "1s", "--write", "1000"}, ours), "iperf3");
    ASSERT_EQ(own.exit_code, 0) << own.out;
    expect_same_shape(json_in(stock.out), json_in(own.out), theirs.back());
    std::this_thread::sleep_for(milliseconds(100));
  }
}

}  // namespace
}  // namespace vtax::iperf3
