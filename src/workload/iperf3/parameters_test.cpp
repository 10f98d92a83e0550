#include "workload/iperf3/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/noise_for_test.h"

namespace vtax::iperf3 {
namespace {

using testing::HasSubstr;

// iperf 3.12 of Debian 12: `iperf3 -d -c 127.0.0.1 -u -P 2 -R -b 10M -t 1 -O 1 -w 128K -l 1448`, 2026-11-24.
constexpr char kStockParameters[] =
    R"({"udp":true,"omit":1,"time":1,"num":0,"blockcount":0,"parallel":2,"reverse":true,"window":131072,)"
    R"("len":1448,"bandwidth":10000000,"pacing_timer":1000,"client_version":"3.12"})";

Result<Parameters> read_parameters(const std::string& text) {
  const auto fields = JsonFields::parse("read the client's parameters", text);
  if (!fields) return fail(fields.error());
  return Parameters::from(*fields);
}

std::string with(const std::string& key, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(kStockParameters);
  json[key] = value;
  return json.dump();
}

TEST(Iperf3Parameters, AStockClientsAreUnderstood) {
  const auto test = read_parameters(kStockParameters);
  ASSERT_TRUE(test) << test.error().text();
  EXPECT_TRUE(test->udp && test->reverse);
  EXPECT_FALSE(test->wide_counters);
  EXPECT_EQ(test->time.count(), 1);
  EXPECT_EQ(test->omit.count(), 1);
  EXPECT_EQ(test->streams(), 2U);
  EXPECT_FALSE(test->client_sends(0));
  EXPECT_EQ(test->window_bytes, 131072U);
  EXPECT_EQ(test->bits_per_second, 10'000'000U);
  EXPECT_TRUE(read_parameters(with("udp_counters_64bit", 1))->wide_counters);
  EXPECT_TRUE(read_parameters(with("num", 0.0)));
  EXPECT_TRUE(read_parameters(with("unknown_of_3.20", nlohmann::json::array())));
}

TEST(Iperf3Parameters, WhatIsWrittenIsReadBack) {
  Parameters test;
  test.bytes = 5;
  test.parallel = 3;
  test.bidirectional = test.no_delay = test.zero_copy = true;
  test.congestion = "cubic";
  test.segment_bytes = 1000;
  const auto back = read_parameters(test.to_json().dump());
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->to_json(), test.to_json());
  EXPECT_EQ(back->streams(), 6U);
  EXPECT_TRUE(back->client_sends(2));
  EXPECT_FALSE(back->client_sends(3));
}

TEST(Iperf3Parameters, AbsurdNumbersAreRefusedByName) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, nlohmann::json>>{{"parallel", 129},
                                                           {"parallel", -1},
                                                           {"parallel", 0},
                                                           {"parallel", 1e18},
                                                           {"len", 70'000},
                                                           {"len", 11},
                                                           {"len", -5},
                                                           {"time", 90'000},
                                                           {"time", -1},
                                                           {"omit", 1e9},
                                                           {"num", -1},
                                                           {"num", 1e300},
                                                           {"blockcount", 1ULL << 63},
                                                           {"bandwidth", "10M"},
                                                           {"window", 1ULL << 40},
                                                           {"MSS", 100'000},
                                                           {"TOS", 256},
                                                           {"congestion", std::string(200, 'c')},
                                                           {"congestion", 7},
                                                           {"tcp", true},
                                                           {"num", 5},
                                                           {"parallel", 2.5},
                                                           {"sctp", true}}) {
    const auto test = read_parameters(with(key, value));
    EXPECT_FALSE(test) << key << " " << value;
  }
  EXPECT_THAT(read_parameters(with("parallel", 1000)).error().why, HasSubstr("parallel"));
}

TEST(Iperf3Parameters, NoiseIsRefusedOrMakesSense) {
  std::mt19937_64 random(1);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto test = read_parameters(with_noise(kStockParameters, random));
    if (!test) continue;
    ++accepted;
    ASSERT_TRUE(test->check());
    ASSERT_LE(test->streams(), 256U);
    ASSERT_LE(test->amount(), kMostBytes);
  }
  EXPECT_GT(accepted, 100);  // or the noise tests nothing
}

}  // namespace
}  // namespace vtax::iperf3
