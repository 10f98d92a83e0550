#include "workload/orders/http_work.h"

#include <gtest/gtest.h>

#include <memory>

#include "workload/measure/side_report_reader.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax {
namespace {

nlohmann::json http_work() {
  return {{"requests", 23},     {"connections", 3}, {"requests_per_connection", 4},
          {"file_bytes", 1000}, {"files", "one"},   {"connections_per_second", 0}};
}

JsonFields fields_of(const nlohmann::json& json) {
  return *JsonFields::parse("read the order", json.dump());
}

std::uint16_t free_port() {
  const auto listener = tcp_listen({"127.0.0.1", 0});
  return *tcp_port(listener->get());
}

nlohmann::json order_with(const nlohmann::json& work, std::uint16_t port) {
  return {{"work", work},  {"ipv4", "127.0.0.1"},       {"port", port}, {"window", true}, {"lead_ns", 0},
          {"trail_ns", 0}, {"limit_ns", 10'000'000'000}};
}

// What an end says that it did.
SideReport side_of(const std::optional<Result<nlohmann::json>>& answer) {
  const auto report = read_side_report(fields_of((**answer)["side"]));
  EXPECT_TRUE(report) << report.error().text();
  return report.value_or(SideReport());
}

class HttpWorkOf : public testing::TestWithParam<nlohmann::json> {};

TEST_P(HttpWorkOf, IsDoneWholeByBothEnds) {
  nlohmann::json work = http_work();
  work.update(GetParam());
  const nlohmann::json order = order_with(work, free_port());
  const auto served = obey_http("http-serve", fields_of(order));
  ASSERT_TRUE(served && *served) << (*served).error().text();
  const auto asked = obey_http("http-ask", fields_of(order));
  ASSERT_TRUE(asked && *asked) << (*asked).error().text();
  const auto requests = work["requests"].get<std::uint64_t>();
  EXPECT_EQ(side_of(asked).transactions.value, requests);
  if (work["files"] == "one") {
    EXPECT_EQ(side_of(asked).bytes.value, requests * 1000);
  }
  const auto ended = obey_http("http-end", fields_of(nlohmann::json::object()));
  ASSERT_TRUE(ended && *ended) << (*ended).error().text();
  EXPECT_EQ(side_of(ended).transactions.value, requests);
  EXPECT_TRUE(side_of(ended).failures.empty());
  EXPECT_FALSE(*obey_http("http-end", fields_of(nlohmann::json::object()))) << "it has ended already";
}

INSTANTIATE_TEST_SUITE_P(
    All, HttpWorkOf,
    testing::Values(nlohmann::json::object(), nlohmann::json{{"requests_per_connection", 1}},
                    nlohmann::json{{"connections_per_second", 500}},
                    nlohmann::json{{"connections_per_second", 500}, {"requests_per_connection", 1}},
                    nlohmann::json{{"files", "set"}}, nlohmann::json{{"requests", 1}, {"connections", 16}}));

TEST(HttpWork, WithoutAServerIsAnError) {
  const auto asked = obey_http("http-ask", fields_of(order_with(http_work(), free_port())));
  ASSERT_TRUE(asked);
  EXPECT_FALSE(*asked);
  EXPECT_FALSE(obey_http("http-elsewhere", fields_of(http_work())));
}

TEST(HttpWork, RefusesWhatIsWrong) {
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"requests", 0},
                                   {"connections", 0},
                                   {"connections", 129},
                                   {"requests_per_connection", 0},
                                   {"file_bytes", -1},
                                   {"file_bytes", 1 << 30},
                                   {"files", "many"},
                                   {"files", 1},
                                   {"connections_per_second", 1.5}}) {
    nlohmann::json bad = http_work();
    bad[key] = value;
    EXPECT_FALSE(HttpWork::from(fields_of(bad))) << key << value;
    bad.erase(key);
    EXPECT_FALSE(HttpWork::from(fields_of(bad))) << key;
  }
  const auto good = HttpWork::from(fields_of(http_work()));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->to_json(), http_work());
}

}  // namespace
}  // namespace vtax
