// The lab's time: how quick a known wire is, what a speed does, how long an exchange takes. That two CPUs
// work at once: placement_test.cpp.

#include <map>
#include <nlohmann/json.hpp>

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

Trial stream(const std::map<std::string, std::string>& more) {
  Trial trial;
  trial.factors = {{"platform", "native"},   {"topology", "card"},       {"workload", "tcp-stream"},
                   {"direction", "send"},    {"offloads", "on"},         {"bytes", "67108864"},
                   {"write_bytes", "65536"}, {"warmup_bytes", "4194304"}};
  for (const auto& [key, value] : more) trial.factors[key] = value;
  if (const auto done = LabBench::get().machine(LabKind::native).run(trial, quiet); !done)
    ADD_FAILURE() << done.error().text();
  return trial;
}

double mbps(const Trial& trial) {
  return static_cast<double>(trial.work.bytes.value) * 8e3 / static_cast<double>(trial.window_virtual_ns);
}

// Primet: 941.49 Mb/s of payload go through gigabit Ethernet, whatever the CPUs do beside it.
TEST(Gigabit, CarriesWhatEthernetCarries) {
  NEED_LAB(LabKind::native);
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
  NEED_LAB(LabKind::native);
  const auto share = [](const char* mips) {
    return busy_shares(stream({{"link_mbps", "1000"}, {"cpu_mips", mips}, {"bytes", "16777216"}}))[0];
  };
  const double slow = share("500"), quick = share("1500");
  EXPECT_NEAR(slow / quick, 3, 0.3);
  EXPECT_GT(slow, 0.1);
  EXPECT_LE(slow, 1.01);
}

TEST(Round, StandsInTheProvenance) {
  NEED_LAB(LabKind::native);
  const Trial trial = stream({{"round_instructions", "500"}, {"cpu_mips", "300"}, {"bytes", "1048576"}});
  const auto provenance = nlohmann::json::parse(trial.provenance);
  EXPECT_EQ(provenance.at("round_instructions"), 500);
  EXPECT_EQ(provenance.at("instruction_ns"), "10/3");
}

TEST(Latency, IsToldOfEachExchange) {
  NEED_LAB(LabKind::native);
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

}  // namespace
}  // namespace vtax::lab
