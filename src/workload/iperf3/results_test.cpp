#include "workload/iperf3/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/noise_for_test.h"

namespace vtax::iperf3 {
namespace {

using testing::HasSubstr;

// iperf 3.12 of Debian 12, `iperf3 -d -c 127.0.0.1 -t 1 -R`, with a second stream put in by hand; 2026-11-24.
// That version writes -1 as 2^64 - 1.
constexpr char kStockResults[] =
    R"({"cpu_util_total":81.0059699854865,"cpu_util_user":2.4157244530007032,"cpu_util_system":78.59,)"
    R"("sender_has_retransmits":18446744073709551615,"congestion_used":"bbr","streams":[)"
    R"({"id":1,"bytes":2353250682,"retransmits":18446744073709551615,"jitter":0,"errors":0,"packets":0,)"
    R"("start_time":0,"end_time":1.000127},)"
    R"({"id":3,"bytes":5,"retransmits":12,"jitter":0.25,"errors":2,"packets":7,"start_time":0,"end_time":1}]})";

Parameters two_streams() {
  Parameters test;
  test.parallel = 2;
  return test;
}

Result<Results> read_results(const std::string& text) {
  const auto fields = JsonFields::parse("read the other side's results", text);
  if (!fields) return fail(fields.error());
  return Results::from(*fields, two_streams());
}

TEST(Iperf3Results, AStockSidesAreUnderstood) {
  const auto results = read_results(kStockResults);
  ASSERT_TRUE(results) << results.error().text();
  EXPECT_NEAR(results->cpu_total, 81.006, 0.001);
  EXPECT_EQ(results->congestion, "bbr");
  EXPECT_EQ(results->streams[0].bytes, 2353250682U);
  EXPECT_FALSE(results->streams[0].retransmits);
  EXPECT_EQ(results->streams[1].retransmits, 12U);
  EXPECT_EQ(results->streams[1].lost, 2U);
  EXPECT_NEAR(results->streams[0].seconds, 1.000127, 1e-9);
}

// iperf 3.18 of Debian 13 as a server, `-u -b 4M -l 1000 -O 1 -t 1` through a relay that drops one in ten;
// 2026-11-28. From 3.13 on the counts are those of the whole test, and what belongs to the omitted time is
// said beside them.
TEST(Iperf3Results, TheOmittedTimeIsTakenAway) {
  Parameters test;
  test.udp = true;
  test.omit = std::chrono::seconds(1);
  auto json = nlohmann::json::parse(
      R"({"cpu_util_total":1.5,"cpu_util_user":0.5,"cpu_util_system":1,"sender_has_retransmits":-1,"streams":[{"id":1,)"
      R"("bytes":450000,"retransmits":-1,"jitter":0.0001,"errors":100,"omitted_errors":50,"packets":1000,)"
      R"("omitted_packets":499,"start_time":0,"end_time":1}]})");
  const auto read = [&] { return Results::from(JsonFields("read", json), test); };
  const auto told = read();
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_EQ(told->streams[0].lost, 50U);
  EXPECT_TRUE(told->streams[0].lost_known);
  EXPECT_EQ(told->streams[0].measured_packets(7), 501U);
  json["streams"][0].erase("omitted_errors");
  json["streams"][0].erase("omitted_packets");
  const auto older = read();
  ASSERT_TRUE(older);
  EXPECT_FALSE(older->streams[0].lost_known);
  EXPECT_EQ(older->streams[0].measured_packets(400), 600U);
  json["streams"][0]["errors"] = 0U;
  const auto lossless = read();
  ASSERT_TRUE(lossless) << lossless.error().text();
  EXPECT_TRUE(lossless->streams[0].lost_known);
  json["streams"][0]["omitted_packets"] = -2;
  EXPECT_FALSE(read());
}

// What is lost in the measured span, whatever a reader takes `errors` for: sides before 3.13 show them as
// they are, later ones take the omitted ones away and need both keys to believe any.
TEST(Iperf3Results, EveryVersionReadsTheSameLoss) {
  Results results;
  StreamResult stream{1, 900, std::nullopt, 0, 7, 120, 1};
  stream.omitted_packets = 50;
  results.streams = {stream};
  const auto written = results.to_json()["streams"][0];
  EXPECT_EQ(written["errors"], 7);
  EXPECT_EQ(written["errors"].get<int>() - written["omitted_errors"].get<int>(), 7);
  EXPECT_EQ(written["packets"].get<int>() - written["omitted_packets"].get<int>(), 70);
}

TEST(Iperf3Results, WhatIsWrittenIsReadBack) {
  const auto results = read_results(kStockResults);
  ASSERT_TRUE(results);
  const auto back = read_results(results->to_json().dump());
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->to_json(), results->to_json());
}

TEST(Iperf3Results, WhatCannotBeIsRefused) {
  const auto changed = [](const char* pointer, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(kStockResults);
    json[nlohmann::json::json_pointer(pointer)] = value;
    return read_results(json.dump());
  };
  EXPECT_THAT(changed("/streams/0/bytes", -1).error().why, HasSubstr("bytes"));
  EXPECT_FALSE(changed("/streams/1/id", 1));   // twice
  EXPECT_FALSE(changed("/streams/1/id", 99));  // unknown
  EXPECT_FALSE(changed("/streams/1/errors", 8));
  EXPECT_FALSE(changed("/streams/1/jitter", -0.5));
  EXPECT_FALSE(changed("/streams/1/retransmits", -2));
  EXPECT_FALSE(changed("/streams/2", nlohmann::json::object()));
  EXPECT_FALSE(changed("/streams", nlohmann::json::array()));
  EXPECT_FALSE(changed("/streams", 5));
  EXPECT_FALSE(changed("/cpu_util_total", "much"));
  EXPECT_FALSE(changed("/cpu_util_user", 1e30));
  EXPECT_FALSE(changed("/congestion_used", std::string(500, 'x')));
}

TEST(Iperf3Results, NoiseIsRefusedOrMakesSense) {
  std::mt19937_64 random(2);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto results = read_results(with_noise(kStockResults, random));
    if (!results) continue;
    ++accepted;
    ASSERT_EQ(results->streams.size(), 2U);
    for (const StreamResult& one : results->streams) {
      ASSERT_LE(one.lost, one.packets);
      ASSERT_GE(one.seconds, 0);
    }
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace vtax::iperf3
