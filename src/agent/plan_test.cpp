#include "agent/plan.h"

#include <gtest/gtest.h>

namespace vtax::agent {
namespace {

nlohmann::json good() {
  return {{"version", 1},
          {"platform", "xen-pv"},
          {"topology", "card"},
          {"workload", "tcp-rr"},
          {"direction", "receive"},
          {"offloads", false},
          {"bytes", 8388608},
          {"write_bytes", 65536},
          {"transactions", 500},
          {"request_bytes", 1},
          {"response_bytes", 2},
          {"warmup_bytes", 1048576},
          {"warmup_transactions", 50},
          {"time_limit_ns", 60'000'000'000}};
}

TEST(Plan, ReadsEveryField) {
  const auto plan = parse_plan(good().dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->platform, PlatformName::xen_pv);
  EXPECT_EQ(plan->topology, Topology::card);
  EXPECT_FALSE(plan->system_initiates);
  EXPECT_FALSE(plan->offloads);
  EXPECT_EQ(plan->window.kind, WorkKind::tcp_rr);
  EXPECT_EQ(plan->window.transactions, Transactions(500));
  EXPECT_EQ(plan->window.response_bytes, 2U);
  EXPECT_EQ(plan->warmup.transactions, Transactions(50));
  EXPECT_EQ(plan->warmup.response_bytes, 2U);
  EXPECT_EQ(plan->time_limit, std::chrono::seconds(60));
}

struct Case {
  const char* name;
  const char* key;
  nlohmann::json value;
};
class BadPlan : public ::testing::TestWithParam<Case> {};

TEST_P(BadPlan, IsRefusedAndTheKeyNamed) {
  nlohmann::json json = good();
  json[GetParam().key] = GetParam().value;
  const auto plan = parse_plan(json.dump());
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().why.find(std::string("'") + GetParam().key + "'"), std::string::npos)
      << plan.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, BadPlan,
    ::testing::Values(Case{"OtherVersion", "version", 2}, Case{"UnknownPlatform", "platform", "vmware"},
                      Case{"UnknownTopology", "topology", "ring"}, Case{"UnknownWorkload", "workload", "udp"},
                      Case{"UnknownDirection", "direction", "both"},
                      Case{"OffloadsAsText", "offloads", "yes"}, Case{"NoTransactions", "transactions", 0},
                      Case{"NegativeSize", "request_bytes", -1},
                      Case{"HugeMessage", "response_bytes", 1 << 30},
                      Case{"FractionOfTransactions", "transactions", 1.5},
                      Case{"NegativeWarmup", "warmup_transactions", -1}, Case{"NoTime", "time_limit_ns", 0},
                      Case{"UnknownKey", "sise", 1}),
    [](const auto& tested) { return tested.param.name; });

TEST(Plan, AStreamNeedsItsSizes) {
  nlohmann::json json = good();
  json["workload"] = "tcp-stream";
  EXPECT_TRUE(parse_plan(json.dump()));
  for (const char* key : {"bytes", "write_bytes", "warmup_bytes"}) {
    nlohmann::json without = json;
    without.erase(key);
    EXPECT_FALSE(parse_plan(without.dump())) << key;
  }
}

TEST(Plan, NoiseIsRefused) {
  for (const char* text : {"", "@", "{\"version\":1", "[]", "{}"}) EXPECT_FALSE(parse_plan(text)) << text;
}

nlohmann::json self_check() {
  return {{"version", 1},
          {"platform", "xen-pv"},
          {"workload", "self-check"},
          {"work", {{"loops", 5}, {"system_calls", 6}}},
          {"guest", {{"loops", 7}}},
          {"share_cpu", true},
          {"time_limit_ns", 60'000'000'000}};
}

TEST(SelfCheckPlan, IsReadAsStrictlyAsTheRest) {
  const auto plan = parse_plan(self_check().dump());
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_TRUE(plan->self_check);
  EXPECT_EQ(plan->self_check->work.system_calls, 6U);
  ASSERT_TRUE(plan->self_check->guest);
  EXPECT_EQ(plan->self_check->guest->loops, 7U);
  EXPECT_TRUE(plan->self_check->share_cpu);

  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"platform", "native"},
                                   {"platform", "container"},
                                   {"topology", "card"},
                                   {"work", 1},
                                   {"work", {{"lops", 1}}},
                                   {"work", {{"loops", -1}}},
                                   {"work", {{"loops", 2'000'000'000}}},
                                   {"guest", "none"},
                                   {"share_cpu", 1}}) {
    nlohmann::json bad = self_check();
    bad[key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key << " " << value;
  }
}

}  // namespace
}  // namespace vtax::agent
