// The lab's time: how quick a known wire is, what a speed does, how long an exchange and a queue take. That
// two CPUs work at once: placement_test.cpp.

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "agent/paced_queue.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

Trial stream(const std::map<std::string, std::string>& more) {
  Trial trial;
  trial.factors = {{"platform", "native"},   {"topology", "card"},       {"workload", "tcp-stream"},
                   {"direction", "send"},    {"offloads", "on"},         {"bytes", "67108864"},
                   {"write_bytes", "65536"}, {"warmup_bytes", "4194304"}};
  for (const auto& [key, value] : more) trial.factors[key] = value;
  if (trial.factors["workload"] == "tcp-rr")
    for (const char* key : {"bytes", "write_bytes", "warmup_bytes"}) trial.factors.erase(key);
  if (const auto done = LabBench::get().machine(PlatformId::native).run(trial, quiet); !done)
    ADD_FAILURE() << done.error().text();
  return trial;
}

double mbps(const Trial& trial) {
  return static_cast<double>(trial.work.bytes.value) * 8e3 / static_cast<double>(trial.window_virtual_ns);
}

// Primet: 941.49 Mb/s of payload go through gigabit Ethernet, whatever the CPUs do beside it.
TEST(Gigabit, CarriesWhatEthernetCarries) {
  NEED_LAB(PlatformId::native);
  for (const char* direction : {"receive", "send"})
    for (const char* load : {"0", "50"}) {
      const Trial trial =
          stream({{"direction", direction}, {"link_mbps", "1000"}, {"softload_percent", load}});
      EXPECT_NEAR(mbps(trial) / 941.49, 1, 0.003) << direction << ", softload " << load;
    }
}

std::map<int, double> busy_shares(const Trial& trial) {
  std::map<int, double> out;
  for (const Busy& busy : trial.busy)
    out[busy.cpu] += static_cast<double>(busy.ns) / static_cast<double>(trial.window_virtual_ns);
  return out;
}

TEST(Speed, SetsHowMuchOfACpuAKnownRateTakes) {
  NEED_LAB(PlatformId::native);
  const auto share = [](const char* mips) {
    return busy_shares(stream({{"link_mbps", "1000"}, {"cpu_mips", mips}, {"bytes", "16777216"}}))[0];
  };
  const double slow = share("500"), quick = share("1500");
  EXPECT_NEAR(slow / quick, 3, 0.3);
  EXPECT_GT(slow, 0.1);
  EXPECT_LE(slow, 1.01);
}

TEST(Round, StandsInTheProvenance) {
  NEED_LAB(PlatformId::native);
  const Trial trial = stream({{"round_instructions", "500"}, {"cpu_mips", "300"}, {"bytes", "1048576"}});
  const auto provenance = nlohmann::json::parse(trial.provenance);
  EXPECT_EQ(provenance.at("round_instructions"), 500);
  EXPECT_EQ(provenance.at("instruction_ns"), "10/3");
}

TEST(Latency, IsToldOfEachExchange) {
  NEED_LAB(PlatformId::native);
  const Trial trial = stream({{"workload", "tcp-rr"},
                              {"direction", "receive"},
                              {"transactions", "200"},
                              {"request_bytes", "1"},
                              {"response_bytes", "1"},
                              {"warmup_transactions", "20"}});
  ASSERT_EQ(trial.waiting.size(), 1U);
  const Waiting& waiting = trial.waiting.front();
  EXPECT_EQ(waiting.guest, trial.guests.front().guest);
  EXPECT_EQ(waiting.count, 200U);
  EXPECT_GT(waiting.least_ns, 1000U);
  // One at a time: together they are the window, but for the instructions between two of them.
  EXPECT_NEAR(static_cast<double>(waiting.sum_ns) / static_cast<double>(trial.window_virtual_ns), 1, 0.02);
}

class LongWindow : public testing::TestWithParam<PlatformId> {};

// Clocks of the CPUs that differ by less than a round: Linux holds its clock source against another one every
// half second, on each CPU in turn. At 50 MIPS a little work is a long time, and a round of 1,000 is 20 us.
TEST_P(LongWindow, NobodyComplainsOfClocks) {
  NEED_LAB(GetParam());
  Trial trial;
  trial.factors = {{"platform", std::string(name_of(GetParam()))},
                   {"topology", "card"},
                   {"workload", "tcp-stream"},
                   {"direction", "receive"},
                   {"offloads", "on"},
                   {"bytes", "33554432"},
                   {"write_bytes", "65536"},
                   {"warmup_bytes", "1048576"},
                   {"round_instructions", "1000"},
                   {"cpu_mips", "50"}};
  const auto plan = plan_of(trial);
  ASSERT_TRUE(plan) << plan.error().text();
  const auto seen = LabBench::get().machine(GetParam()).observe(*plan, quiet);
  ASSERT_TRUE(seen) << seen.error().text();
  EXPECT_GT(seen->window->ns, 1'200'000'000U);
  for (const char* complaint : {"clocksource", "unstable", "WARNING", "BUG", "stall", "lockup", "(XEN)"})
    EXPECT_EQ(seen->console.find(complaint), std::string::npos) << seen->console;
}

INSTANTIATE_TEST_SUITE_P(On, LongWindow,
                         testing::Values(PlatformId::native, PlatformId::xen_pv, PlatformId::xen_pvh,
                                         PlatformId::kvm),
                         [](const auto& one) { return test_name(one.param); });

// Customers that come on one CPU and are served on another.
class Queue : public testing::TestWithParam<int> {
 protected:
  static constexpr std::uint64_t kServiceLoops = 500'000;
  static constexpr double kServiceNs = kServiceLoops * 2 * 2;  // 2 instructions a loop at 2 ns

  static double mean_wait_ns(const agent::PacedQueue& queue) {
    const nlohmann::json plan = {{"version", 1},
                                 {"platform", "native"},
                                 {"workload", "self-check"},
                                 {"queue", queue.to_json()},
                                 {"time_limit_ns", 60'000'000'000}};
    const auto seen = LabBench::get().machine(PlatformId::native).observe(plan.dump(), quiet);
    if (!seen || !seen->window) {
      ADD_FAILURE() << (seen ? "no window" : seen.error().text());
      return 0;
    }
    double sum = 0;
    for (const auto& one : seen->window->latencies) sum += static_cast<double>(one.ns);
    EXPECT_EQ(seen->window->latencies.size(), queue.customers);
    return sum / static_cast<double>(queue.customers);
  }

  static agent::PacedQueue queue(agent::PacedQueue::Gaps gaps) {
    return {1000, kServiceLoops, std::chrono::nanoseconds(std::llround(kServiceNs * 100 / GetParam())), gaps};
  }
};

// 1,000 customers are one draw of all that could come, so the wait is held against what these very arrivals
// have by Lindley's recursion; the tolerance is that of the formula, which they approach as there are more of
// them (paced_queue_test.cpp).
TEST_P(Queue, WaitsAsMD1) {
  NEED_LAB(PlatformId::native);
  const auto paced = queue(agent::PacedQueue::Gaps::exponential);
  EXPECT_NEAR(mean_wait_ns(paced), agent::lindley_mean_wait_ns(paced.arrivals(), kServiceNs),
              0.03 * agent::md1_mean_wait_ns(GetParam() / 100.0, kServiceNs));
}

TEST_P(Queue, WaitsAsDD1) {
  NEED_LAB(PlatformId::native);
  EXPECT_LT(mean_wait_ns(queue(agent::PacedQueue::Gaps::constant)), 0.03 * kServiceNs);
}

INSTANTIATE_TEST_SUITE_P(AtLoad, Queue, testing::Values(50, 80),
                         [](const auto& one) { return std::to_string(one.param); });

}  // namespace
}  // namespace vtax::lab
