// Two machines that advance together: docs/design/joined-machines.md.

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "machine/lab/emulator_process.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

// Beside a native machine; with its peer in another copy of the same one.
const LabMachine& joined(PlatformId kind) {
  static std::map<PlatformId, std::unique_ptr<LabMachine>> all;
  LabBench& bench = LabBench::get();
  auto& machine = all[kind];
  if (machine == nullptr) {
    machine = bench.another(kind, bench.store(), bench.probe());
    machine->join(bench.machine(PlatformId::native));
  }
  return *machine;
}

Trial exchange(const std::string& platform, const std::map<std::string, std::string>& more = {}) {
  Trial trial;
  trial.factors = {{"platform", platform}, {"topology", "joined"},  {"workload", "tcp-rr"},
                   {"direction", "send"},  {"offloads", "off"},     {"transactions", "60"},
                   {"request_bytes", "1"}, {"response_bytes", "1"}, {"warmup_transactions", "20"}};
  for (const auto& [key, value] : more) trial.factors[key] = value;
  return trial;
}

Trial run_joined(Trial trial) {
  const auto kind = trial.factors.at("platform") == "xen-pv" ? PlatformId::xen_pv : PlatformId::native;
  if (const auto done = joined(kind).run(trial, quiet); !done) ADD_FAILURE() << done.error().text();
  return trial;
}

// Keeps all of the computer's CPUs busy.
class Load {
 public:
  Load() {
    for (unsigned i = 0; i < 2 * std::max(1U, std::thread::hardware_concurrency()); ++i)
      threads_.emplace_back([this] {
        while (!over_) spins_.fetch_add(1, std::memory_order_relaxed);
      });
  }
  ~Load() { over_ = true; }

 private:
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> spins_{0};
  std::vector<std::jthread> threads_;  // they end before what they look at
};

TEST(Joined, CountsTheSameWhateverElseTheComputerDoes) {
  NEED_LAB(PlatformId::native);
  const Trial first = run_joined(exchange("native"));
  const Load load;
  const Trial again = run_joined(exchange("native"));
  EXPECT_NE(first.digest, "");
  EXPECT_EQ(first.digest, again.digest);
  EXPECT_EQ(first.window_virtual_ns, again.window_virtual_ns);
  EXPECT_EQ(first.work.transactions.value, 60U);
  EXPECT_EQ(nlohmann::json::parse(first.provenance).at("joined").at("machines"), 2);
}

TEST(Joined, APacketTakesWhatTheLinkTakes) {
  NEED_LAB(PlatformId::native);
  std::map<int, Waiting> waiting;
  for (const int us : {20, 500})
    waiting[us] = run_joined(exchange("native", {{"link_us", std::to_string(us)}})).waiting.at(0);
  for (const auto& [us, waited] : waiting) EXPECT_GT(waited.least_ns, 2'000U * static_cast<unsigned>(us));
  // Once there and once back. Cards that hold interrupts back do so less when they are rarer.
  const double longer = static_cast<double>(waiting[500].sum_ns - waiting[20].sum_ns) / 60;
  EXPECT_LT(longer, 2 * 480e3 * 1.02);
  EXPECT_GT(longer, 2 * 480e3 * 0.85);
}

TEST(Joined, AGuestOfXenTalksToAnotherMachine) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial first = run_joined(exchange("xen-pv"));
  EXPECT_EQ(first.digest, run_joined(exchange("xen-pv")).digest);
  EXPECT_GT(first.work.packets.value, 119U);
}

// The guests of three machines ask the driver domain of the first, whose own guest asks, too, or rests.
Trial of_three_machines(const std::map<std::string, std::string>& more) {
  Trial trial = exchange("xen-pv", {{"topology", "inside"}, {"machines", "3"}});
  for (const auto& [key, value] : more) trial.factors[key] = value;
  if (const auto done = LabBench::get().machine(PlatformId::xen_pv).run(trial, quiet); !done)
    ADD_FAILURE() << done.error().text();
  return trial;
}

TEST(Joined, GuestsOfSeveralMachinesAskTheFirstOnesDriverDomain) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial all = of_three_machines({});
  const Load load;
  const Trial again = of_three_machines({});
  EXPECT_NE(all.digest, "");
  EXPECT_EQ(all.digest, again.digest);
  EXPECT_EQ(all.guests, again.guests);  // those elsewhere, by their own clocks
  EXPECT_EQ(all.work.transactions.value, 180U);
  ASSERT_EQ(all.guests.size(), 3U);
  for (std::size_t i = 0; i < all.guests.size(); ++i) {
    EXPECT_EQ(all.guests[i].guest, "guest" + std::to_string(i + 1));
    EXPECT_EQ(all.guests[i].transactions.value, 60U);
    EXPECT_GT(all.guests[i].virtual_ns, i == 0 ? 0U : 60U * 2 * 20'000);  // the link's, there and back
  }
  EXPECT_EQ(nlohmann::json::parse(all.provenance).at("joined").at("machines"), 3);

  const Trial others = of_three_machines({{"own_guests", "rest"}});
  ASSERT_EQ(others.guests.size(), 2U);
  EXPECT_EQ(others.guests.front().guest, "guest2");
  EXPECT_EQ(others.work.transactions.value, 120U);
  std::uint64_t of_guest1 = 0, of_the_driver = 0;
  for (const LedgerEntry& entry : others.ledger) {
    if (entry.kind != "instructions") continue;
    if (entry.domain == "guest1") of_guest1 += entry.value;
    if (entry.domain == "Domain-0") of_the_driver += entry.value;
  }
  EXPECT_LT(of_guest1, of_the_driver / 50) << "it rests";
}

TEST(Joined, EndsWithEitherOfItsEmulators) {
  NEED_LAB(PlatformId::native);
  constexpr std::chrono::seconds kAtWork{2};  // of CPU time
  for (const std::size_t which : {0U, 1U}) {
    std::jthread killer([which, kAtWork](const std::stop_token& over) {
      while (!over.stop_requested()) {
        const auto all = emulators();
        // Both have been read and work.
        if (all.size() == 2 && std::min(cpu_time_of(all[0]), cpu_time_of(all[1])) > kAtWork) {
          kill(all[which], SIGKILL);
          return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    Trial trial = exchange("native", {{"transactions", "20000"}});
    const auto done = joined(PlatformId::native).run(trial, quiet);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("signal 9"));
    EXPECT_EQ(emulators_left(), 0);
  }
}

}  // namespace
}  // namespace vtax::lab
