#include "agent/lab_plan.h"

#include <gtest/gtest.h>

namespace vtax::agent {
namespace {

nlohmann::json good() {
  return {{"version", 1},
          {"platform", "xen-pv"},
          {"topology", "card"},
          {"workload", "tcp-rr"},
          {"direction", "receive"},
          {"offloads", "off"},
          {"transactions", 500},
          {"request_bytes", 1},
          {"response_bytes", 2},
          {"warmup_transactions", 50},
          {"time_limit_ns", 60'000'000'000}};
}

TEST(LabPlan, ReadsEveryField) {
  const auto plan = parse_plan(good().dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->platform, PlatformId::xen_pv);
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

TEST(LabPlan, OfAPeersMachineHasWhatBothMachinesAgreeOn) {
  const nlohmann::json peer{{"version", 1},
                            {"platform", "native"},
                            {"workload", "peer"},
                            {"guests", 3},
                            {"offloads", "off"},
                            {"link_mbps", 100},
                            {"cpu_mips", 700},
                            {"forwarding", "nat"},
                            {"round_instructions", 500},
                            {"time_limit_ns", 60'000'000'000}};
  const auto plan = parse_plan(peer.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_TRUE(plan->is_peer);
  EXPECT_EQ(plan->guests, 3);
  EXPECT_FALSE(plan->offloads);
  EXPECT_EQ(plan->link_mbps, 100U);
  EXPECT_EQ(plan->forwarding, Forwarding::nat);
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"platform", "kvm"},
                                   {"guests", 99},
                                   {"offloads", 1},
                                   {"transactions", 5}}) {
    nlohmann::json bad = peer;
    bad[key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key;
  }
}

TEST(LabPlan, OfSeveralMachinesHasAGuestsSeat) {
  nlohmann::json json = good();
  json["platform"] = "xen-pv";
  json["topology"] = "inside";
  json["direction"] = "send";
  json["guests"] = 2;
  json["machines"] = 4;
  json["own_guests"] = "rest";
  json["seat"] = 3;
  const auto plan = parse_plan(json.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->seat, 3);
  EXPECT_EQ(systems_at_work(*plan), 6);
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"seat", 4},
                                   {"platform", "native"},
                                   {"topology", "card"},
                                   {"direction", "receive"},
                                   {"loads", "halving"},
                                   {"forwarding", "route"},
                                   {"guests", 3},
                                   {"machines", 1},
                                   {"machines", 5}}) {
    nlohmann::json bad = json;
    bad[key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key << " " << value;
  }
}

TEST(LabPlan, OfJoinedMachinesHasTheSystemBegin) {
  nlohmann::json json = good();
  json["topology"] = "joined";
  const auto refused = parse_plan(json.dump());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().why.find("the system begins each exchange"), std::string::npos);
  json["direction"] = "send";
  EXPECT_TRUE(parse_plan(json.dump()));
  json["cards"] = 2;
  EXPECT_FALSE(parse_plan(json.dump()));
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
                      Case{"UnknownDirection", "direction", "both"}, Case{"OffloadsAsNumber", "offloads", 1},
                      Case{"UnknownOffloads", "offloads", "yes"}, Case{"NoTransactions", "transactions", 0},
                      Case{"NegativeSize", "request_bytes", -1},
                      Case{"HugeMessage", "response_bytes", 1 << 30},
                      Case{"FractionOfTransactions", "transactions", 1.5},
                      Case{"NegativeWarmup", "warmup_transactions", -1}, Case{"NoTime", "time_limit_ns", 0},
                      Case{"NoGuests", "guests", 0}, Case{"TooManyGuests", "guests", 8},
                      Case{"UnknownLoads", "loads", "odd"}, Case{"UnknownGuestCpu", "guest_cpu", "any"},
                      Case{"HugeWindow", "system_window", 1 << 30},
                      Case{"MuchSoftload", "softload_percent", 101},
                      Case{"FastSampling", "sampling_hz", 20'001}, Case{"FastLink", "link_mbps", 100'000},
                      Case{"UnknownForwarding", "forwarding", "hub"}, Case{"NoCards", "cards", 0},
                      Case{"ThreeCards", "cards", 3}, Case{"UnknownInterrupts", "driver_interrupts", "all"},
                      Case{"UnknownScheduler", "scheduler", "bvt"},
                      Case{"UnknownWeights", "guest_weights", 2}, Case{"MuchCap", "guest_cap_percent", 101},
                      Case{"HugeBalloon", "balloon_mib", 1 << 20}, Case{"UnknownKey", "sise", 1}),
    [](const auto& tested) { return tested.param.name; });

TEST(LabPlan, ReadsThePlacement) {
  nlohmann::json json = good();
  json.update({{"guests", 4},
               {"loads", "opposed"},
               {"guest_cpu", "driver"},
               {"softload_percent", 90},
               {"sampling_hz", 500},
               {"system_window", 16384},
               {"peer_window", 65536},
               {"link_mbps", 1000},
               {"forwarding", "nat"},
               {"cards", 2},
               {"driver_interrupts", "by-card"},
               {"scheduler", "credit"},
               {"guest_weights", "halving"},
               {"guest_cap_percent", 50},
               {"balloon_mib", 128}});
  const auto plan = parse_plan(json.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->guests, 4);
  EXPECT_EQ(plan->loads, Loads::opposed);
  EXPECT_EQ(plan->guest_cpu, GuestCpu::driver);
  EXPECT_EQ(plan->softload_percent, 90);
  EXPECT_EQ(plan->sampling_hz, 500U);
  EXPECT_EQ(plan->system_window, 16384U);
  EXPECT_EQ(plan->peer_window, 65536U);
  EXPECT_EQ(plan->link_mbps, 1000U);
  EXPECT_EQ(plan->forwarding, Forwarding::nat);
  EXPECT_EQ(plan->cards, 2);
  EXPECT_EQ(plan->driver_interrupts, DriverInterrupts::by_card);
  EXPECT_EQ(plan->scheduler, Scheduler::credit);
  EXPECT_EQ(plan->guest_cap_percent, 50);
  EXPECT_EQ(plan->balloon_mib, 128);
  EXPECT_EQ(controller::weight_of(plan->guest_weights, 1), 256);
  EXPECT_EQ(controller::weight_of(plan->guest_weights, 7), 4);
  json["topology"] = "inside";
  EXPECT_FALSE(parse_plan(json.dump()));
}

TEST(LabPlan, EachDriverDomainHasACard) {
  nlohmann::json json = good();
  json.update(
      {{"platform", "xen-pv"}, {"topology", "card"}, {"guests", 3}, {"driver_domains", 2}, {"cards", 2}});
  const auto plan = parse_plan(json.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->driver_domains, 2);
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"cards", 1},
                                   {"driver_domains", 1},
                                   {"driver_domains", 3},
                                   {"forwarding", "route"},
                                   {"topology", "inside"},
                                   {"platform", "kvm"},
                                   {"guests", 6}}) {
    nlohmann::json other = json;
    other[key] = value;
    EXPECT_FALSE(parse_plan(other.dump())) << key;
  }
}

TEST(LabPlan, MacvtapsAreKvmsAndOnCards) {
  nlohmann::json json = good();
  json.update({{"platform", "kvm"}, {"topology", "card"}, {"forwarding", "macvtap"}});
  const auto plan = parse_plan(json.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->forwarding, Forwarding::macvtap);
  for (const auto& [key, value] :
       {std::pair("platform", "xen-pv"), {"platform", "container"}, {"topology", "inside"}}) {
    nlohmann::json other = json;
    other[key] = value;
    const auto refused = parse_plan(other.dump());
    ASSERT_FALSE(refused) << value;
    EXPECT_NE(refused.error().text().find("macvtap"), std::string::npos) << value;
  }
}

TEST(LabPlan, GuestsShareTheWorkAsTheLoadsSay) {
  LabPlan plan;
  plan.window.transactions = Transactions(5);
  plan.window.kind = WorkKind::tcp_rr;
  EXPECT_EQ(controller::order_of_guest(plan.window, Loads::equal, 4).transactions, Transactions(5));
  EXPECT_EQ(controller::order_of_guest(plan.window, Loads::halving, 2).transactions, Transactions(2));
  EXPECT_EQ(controller::order_of_guest(plan.window, Loads::halving, 7).transactions, Transactions(1));
  EXPECT_EQ(controller::order_of_guest(Order{}, Loads::halving, 2).bytes, Bytes(0));  // no warm-up stays none
  plan.system_initiates = true;
  plan.loads = Loads::opposed;
  EXPECT_TRUE(controller::guest_initiates(plan, 1));
  EXPECT_FALSE(controller::guest_initiates(plan, 2));
}

TEST(LabPlan, BooksAreXensAlone) {
  nlohmann::json plan = good();
  EXPECT_FALSE(parse_plan(plan.dump())->books);
  plan["books"] = true;
  ASSERT_TRUE(parse_plan(plan.dump()));
  EXPECT_TRUE(parse_plan(plan.dump())->books);
  plan["platform"] = "native";
  const auto refused = parse_plan(plan.dump());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("'books'"), std::string::npos);
}

TEST(LabPlan, CountersAreAnyKernelsButNotWithBooks) {
  nlohmann::json plan = good();
  EXPECT_FALSE(parse_plan(plan.dump())->counters);
  plan["counters"] = true;
  ASSERT_TRUE(parse_plan(plan.dump()));
  EXPECT_TRUE(parse_plan(plan.dump())->counters);
  plan["books"] = true;
  EXPECT_FALSE(parse_plan(plan.dump()));
}

TEST(LabPlan, WatchIsAloneOnAMachineWithGuests) {
  nlohmann::json plan = good();
  EXPECT_FALSE(parse_plan(plan.dump())->watch);
  plan["watch"] = true;
  ASSERT_TRUE(parse_plan(plan.dump()));
  EXPECT_TRUE(parse_plan(plan.dump())->watch);
  plan["books"] = true;
  EXPECT_FALSE(parse_plan(plan.dump()));
  plan.erase("books");
  plan["platform"] = "native";
  const auto refused = parse_plan(plan.dump());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("'watch'"), std::string::npos);
}

TEST(LabPlan, WatchIsOfStreamsAndDisks) {
  nlohmann::json disk{{"version", 1},
                      {"platform", "xen-pv"},
                      {"topology", "card"},
                      {"workload", "disk"},
                      {"offloads", "on"},
                      {"bytes", 262'144},
                      {"block_bytes", 4096},
                      {"operation", "write"},
                      {"pattern", "sequential"},
                      {"direct", "on"},
                      {"store", "memory"},
                      {"guests", 2},
                      {"watch", true},
                      {"time_limit_ns", 60'000'000'000}};
  const auto watched = parse_plan(disk.dump());
  ASSERT_TRUE(watched) << watched.error().text();
  EXPECT_TRUE(watched->watch);
  const nlohmann::json other{{"version", 1},       {"platform", "xen-pv"},
                             {"topology", "card"}, {"workload", "linpack"},
                             {"offloads", "on"},   {"size", 100},
                             {"systems", 20},      {"precision", "single"},
                             {"watch", true},      {"time_limit_ns", 60'000'000'000}};
  const auto refused = parse_plan(other.dump());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("'watch'"), std::string::npos);
}

TEST(LabPlan, SamplingHasARateAndATimeAndIsAlone) {
  nlohmann::json plan = good();
  EXPECT_EQ(parse_plan(plan.dump())->profile_hz, 0U);
  plan["profile_hz"] = 1999;
  EXPECT_FALSE(parse_plan(plan.dump()));
  plan["profile_ns"] = 1'000'000'000;
  const auto sampled = parse_plan(plan.dump());
  ASSERT_TRUE(sampled);
  EXPECT_EQ(sampled->profile_hz, 1999U);
  EXPECT_EQ(sampled->profile_duration, std::chrono::seconds(1));
  plan["profile_hz"] = 1'000'000;
  EXPECT_FALSE(parse_plan(plan.dump()));
  plan["profile_hz"] = 1999;
  plan["watch"] = true;
  EXPECT_FALSE(parse_plan(plan.dump()));
}

TEST(LabPlan, AProgramMayMarkItsWindowItself) {
  nlohmann::json plan = {{"version", 1},
                         {"platform", "native"},
                         {"workload", "programs"},
                         {"client", {"/init", "run"}},
                         {"time_limit_ns", 60'000'000'000}};
  EXPECT_TRUE(parse_plan(plan.dump())->programs->marks);
  plan["marks"] = false;
  EXPECT_FALSE(parse_plan(plan.dump())->programs->marks);
  plan["marks"] = 0;
  EXPECT_FALSE(parse_plan(plan.dump()));
}

TEST(LabPlan, LocalWorkHasNoTraffic) {
  const nlohmann::json local{
      {"version", 1},          {"platform", "native"},  {"topology", "card"},
      {"workload", "linpack"}, {"offloads", "on"},      {"size", 100},
      {"systems", 20},         {"precision", "single"}, {"time_limit_ns", 60'000'000'000}};
  const auto plan = parse_plan(local.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_TRUE(plan->local);
  EXPECT_EQ(plan->local->systems, 20U);
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"direction", "send"},
                                   {"systems", 0},
                                   {"size", "100"},
                                   {"precision", "half"},
                                   {"guests", 9}}) {
    nlohmann::json bad = local;
    bad[key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key;
  }
}

TEST(LabPlan, ADiskIsLocalWork) {
  const nlohmann::json disk{{"version", 1},
                            {"platform", "xen-pv"},
                            {"topology", "card"},
                            {"workload", "disk"},
                            {"offloads", "on"},
                            {"bytes", 4096},
                            {"block_bytes", 512},
                            {"operation", "read"},
                            {"pattern", "sequential"},
                            {"direct", "off"},
                            {"store", "memory"},
                            {"delay_us", 5},
                            {"guests", 2},
                            {"time_limit_ns", 60'000'000'000}};
  const auto plan = parse_plan(disk.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_TRUE(controller::has_disk(*plan));
  EXPECT_FALSE(plan->local->writes);
  EXPECT_EQ(plan->delay, std::chrono::microseconds(5));
  for (const char* key : {"bytes", "block_bytes", "operation", "pattern", "direct", "store"}) {
    nlohmann::json without = disk;
    without.erase(key);
    EXPECT_FALSE(parse_plan(without.dump())) << key;
  }
}

TEST(LabPlan, AWebServerHasRequestsAndADirection) {
  const nlohmann::json http{{"version", 1},
                            {"platform", "container"},
                            {"topology", "inside"},
                            {"workload", "http"},
                            {"direction", "receive"},
                            {"offloads", "on"},
                            {"requests", 100},
                            {"connections", 2},
                            {"requests_per_connection", 10},
                            {"files", "set"},
                            {"file_bytes", 0},
                            {"connections_per_second", 50},
                            {"warmup_requests", 7},
                            {"time_limit_ns", 60'000'000'000}};
  const auto plan = parse_plan(http.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_TRUE(plan->http);
  EXPECT_FALSE(plan->system_initiates);
  EXPECT_TRUE(plan->http->file_set);
  EXPECT_EQ(plan->warmup_requests, 7U);
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"direction", "both"},
                                   {"requests", 0},
                                   {"system_window", 65536},
                                   {"warmup_requests", -1},
                                   {"bytes", 1}}) {
    nlohmann::json bad = http;
    bad[key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key;
  }
}

TEST(LabPlan, AStreamNeedsItsSizes) {
  nlohmann::json json = good();
  json["workload"] = "tcp-stream";
  for (const char* another_ones : {"transactions", "request_bytes", "response_bytes", "warmup_transactions"})
    json.erase(another_ones);
  json.update({{"bytes", 8388608}, {"write_bytes", 65536}, {"warmup_bytes", 1048576}});
  EXPECT_TRUE(parse_plan(json.dump()));
  for (const char* key : {"bytes", "write_bytes", "warmup_bytes"}) {
    nlohmann::json without = json;
    without.erase(key);
    EXPECT_FALSE(parse_plan(without.dump())) << key;
  }
}

TEST(LabPlan, NoiseIsRefused) {
  for (const char* text : {"", "@", "{\"version\":1", "[]", "{}"}) EXPECT_FALSE(parse_plan(text)) << text;
}

nlohmann::json self_check() {
  return {{"version", 1},
          {"platform", "xen-pv"},
          {"workload", "self-check"},
          {"work", {{"loops", 5}, {"system_calls", 6}}},
          {"guest_work", {{{"loops", 7}}, {{"loops", 8}}}},
          {"share_cpu", true},
          {"time_limit_ns", 60'000'000'000}};
}

TEST(SelfCheckPlan, IsReadAsStrictlyAsTheRest) {
  const auto plan = parse_plan(self_check().dump());
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_TRUE(plan->self_check);
  EXPECT_EQ(plan->self_check->work.system_calls, 6U);
  ASSERT_EQ(plan->self_check->guests.size(), 2U);
  EXPECT_EQ(plan->self_check->guests[0].loops, 7U);
  EXPECT_EQ(plan->self_check->guests[1].loops, 8U);
  EXPECT_EQ(plan->guests, 2);
  EXPECT_TRUE(plan->self_check->share_cpu);

  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"platform", "native"},
                                   {"platform", "container"},
                                   {"topology", "card"},
                                   {"work", 1},
                                   {"work", {{"lops", 1}}},
                                   {"work", {{"loops", -1}}},
                                   {"work", {{"loops", 2'000'000'000}}},
                                   {"guest_work", "none"},
                                   {"guest_work", {1}},
                                   {"guest_work", {{{"lops", 1}}}},
                                   {"share_cpu", 1},
                                   {"queue", nlohmann::json::object()}}) {
    nlohmann::json bad = self_check();
    bad[key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key << " " << value;
  }
}

nlohmann::json queue_check() {
  return {
      {"version", 1},
      {"platform", "native"},
      {"workload", "self-check"},
      {"queue", {{"customers", 10}, {"service_loops", 100}, {"mean_gap_ns", 1000}, {"gaps", "exponential"}}},
      {"time_limit_ns", 60'000'000'000}};
}

TEST(SelfCheckPlan, OfAQueueIsReadAsStrictly) {
  const auto plan = parse_plan(queue_check().dump());
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_TRUE(plan->self_check && plan->self_check->queue);
  EXPECT_EQ(plan->self_check->queue->to_json(), queue_check()["queue"]);
  nlohmann::json elsewhere = queue_check();
  elsewhere["platform"] = "xen-pv";
  EXPECT_FALSE(parse_plan(elsewhere.dump()));
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"customers", 0},
                                   {"customers", 100'001},
                                   {"service_loops", 0},
                                   {"mean_gap_ns", -1},
                                   {"gaps", "normal"},
                                   {"servers", 2}}) {
    nlohmann::json bad = queue_check();
    bad["queue"][key] = value;
    EXPECT_FALSE(parse_plan(bad.dump())) << key << " " << value;
  }
}

TEST(LabPlan, OfAProgramHasItsTextsAndRefusesWhatTheyCannotMean) {
  const nlohmann::json program{{"version", 1},
                               {"platform", "kvm"},
                               {"topology", "card"},
                               {"workload", "program"},
                               {"packages", "redis-tools"},
                               {"files", ""},
                               {"prepare", ""},
                               {"user", "program"},
                               {"server", "redis-server --port 1"},
                               {"ready", "port 1"},
                               {"client", "redis-benchmark -h {server}"},
                               {"window", "marks"},
                               {"operations", "([0-9]+) done"},
                               {"direction", "receive"},
                               {"warmup", "off"},
                               {"limit_seconds", 7},
                               {"time_limit_ns", 60'000'000'000}};
  const auto plan = parse_plan(program.dump());
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_TRUE(plan->program);
  EXPECT_EQ(plan->server, "redis-server --port 1");
  EXPECT_EQ(plan->operations, "([0-9]+) done");
  EXPECT_EQ(plan->user, "program");
  EXPECT_EQ(plan->limit_seconds, 7U);
  EXPECT_FALSE(plan->warms_up);
  EXPECT_TRUE(plan->marks_window);
  for (const auto& [key, value] : {std::pair{"client", ""},
                                   {"ready", "port x"},
                                   {"operations", "none"},
                                   {"server", "a 'b"},
                                   {"packages", "A"}}) {
    nlohmann::json bad = program;
    bad[key] = value;
    const auto refused = parse_plan(bad.dump());
    ASSERT_FALSE(refused) << key;
    EXPECT_NE(refused.error().why.find(std::string("'") + key + "'"), std::string::npos)
        << refused.error().text();
  }
}

}  // namespace
}  // namespace vtax::agent
