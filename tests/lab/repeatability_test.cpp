// The same plan gives the same counts, whatever happens on the measuring computer.

#include <atomic>
#include <thread>

#include "record/trial_check.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

Trial small_trial(PlatformId kind) {
  Trial trial;
  trial.factors = {{"platform", std::string(name_of(kind))},
                   {"topology", "card"},
                   {"workload", "tcp-stream"},
                   {"direction", "send"},
                   {"offloads", "off"},
                   {"bytes", "524288"},
                   {"write_bytes", "1448"},
                   {"warmup_bytes", "65536"}};
  return trial;
}

// The machine sleeps between the packets: nothing else depends as much on the emulator's threads.
Trial sleepy_trial(PlatformId kind) {
  Trial trial = small_trial(kind);
  trial.factors["workload"] = "tcp-rr";
  for (const char* key : {"bytes", "write_bytes", "warmup_bytes"}) trial.factors.erase(key);
  trial.factors["direction"] = "receive";
  trial.factors["transactions"] = "60";
  trial.factors["warmup_transactions"] = "50";
  trial.factors["request_bytes"] = trial.factors["response_bytes"] = "1";
  return trial;
}

// Two threads that never sleep, for as long as the object lives.
class BusyComputer {
 public:
  BusyComputer() {
    for (int i = 0; i < 2; ++i)
      threads_.emplace_back([this] {
        while (!done_.load(std::memory_order_relaxed)) {
        }
      });
  }
  ~BusyComputer() { done_ = true; }

 private:
  std::atomic<bool> done_{false};
  std::vector<std::jthread> threads_;
};

class Repeated : public testing::TestWithParam<PlatformId> {
 protected:
  static Trial run(const LabMachine& machine, Trial trial = small_trial(GetParam())) {
    if (const auto done = machine.run(trial, quiet); !done) ADD_FAILURE() << done.error().text();
    return trial;
  }
  static Trial measured(const Trial& trial = small_trial(GetParam())) {
    return LabBench::get().measured(trial.factors);
  }
};

TEST_P(Repeated, UnderLoadItIsTheSame) {
  NEED_LAB(GetParam());
  const Trial first = measured();
  const BusyComputer busy;
  const Trial second = run(LabBench::get().machine(GetParam()));
  EXPECT_EQ(first.digest.size(), 64U);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.window_virtual_ns, second.window_virtual_ns);
  EXPECT_EQ(first.ledger, second.ledger);
  EXPECT_EQ(first.functions, second.functions);
  EXPECT_EQ(first.timeline, second.timeline);
}

TEST_P(Repeated, WhateverTheEmulatorsThreadsDoItIsTheSame) {
  NEED_LAB(GetParam());
  LabBench& bench = LabBench::get();
  Qemu restless = bench.qemu();
  restless.environment.push_back(std::string("LD_PRELOAD=") + VTAX_UNREST);
  const auto machine = bench.another(GetParam(), bench.store(), bench.probe(), restless);
  const Trial expected = measured(sleepy_trial(GetParam()));
  const Trial seen = run(*machine, sleepy_trial(GetParam()));
  EXPECT_EQ(seen.digest.size(), 64U);
  EXPECT_EQ(seen.digest, expected.digest);
  EXPECT_EQ(seen.window_virtual_ns, expected.window_virtual_ns);
}

TEST_P(Repeated, TheProbeDoesNotPerturbIt) {
  NEED_LAB(GetParam());
  LabBench& bench = LabBench::get();
  const auto without = bench.another(GetParam(), bench.store(), {});
  const auto plan = plan_of(small_trial(GetParam()));
  ASSERT_TRUE(plan);
  const auto counted = bench.machine(GetParam()).observe(*plan, quiet);
  const auto alone = without->observe(*plan, quiet);
  ASSERT_TRUE(counted) << counted.error().text();
  ASSERT_TRUE(alone) << alone.error().text();
  ASSERT_TRUE(counted->window);
  ASSERT_FALSE(alone->window);
  EXPECT_GT(counted->result.window_virtual_ns, 0U);
  EXPECT_EQ(counted->result.window_virtual_ns, alone->result.window_virtual_ns);
  EXPECT_EQ(counted->answer, alone->answer);
}

TEST_P(Repeated, TheLedgerBalances) {
  NEED_LAB(GetParam());
  const Trial trial = measured();
  std::uint64_t entries = 0, functions = 0, uncharged = 0;
  for (const LedgerEntry& entry : trial.ledger) {
    if (entry.kind != "instructions") continue;
    entries += entry.value;
    if (entry.layer == Layer::uncharged) uncharged += entry.value;
  }
  for (const FunctionCost& function : trial.functions) functions += function.instructions.value;
  EXPECT_GT(trial.machine_total.value, 1'000'000U);
  EXPECT_EQ(entries, trial.machine_total.value);
  EXPECT_EQ(functions, trial.machine_total.value);
  EXPECT_LE(uncharged * 1000, trial.machine_total.value);
}

// trial_check.h has the slices add up to the ledger; here: that there are any, and that the probe's clock is
// the machine's. The endpoint reads its own just outside the window.
TEST_P(Repeated, ItsCourseIsRecordedAndTheClockIsTheMachines) {
  NEED_LAB(GetParam());
  for (const Trial& trial : {measured(), measured(sleepy_trial(GetParam()))}) {
    const Timeline& timeline = trial.timeline;
    ASSERT_GE(timeline.end_ns.size(), 30U);
    ASSERT_LE(timeline.end_ns.size(), 34U);
    EXPECT_TRUE(check(trial));
    EXPECT_EQ(timeline.end_ns.back(), trial.window_virtual_ns);
    ASSERT_EQ(trial.guests.size(), 1U);
    const std::uint64_t by_the_endpoint = trial.guests.front().virtual_ns;
    EXPECT_LE(trial.window_virtual_ns, by_the_endpoint + 1000);
    EXPECT_GE(trial.window_virtual_ns + 20'000 + by_the_endpoint / 500, by_the_endpoint);
  }
}

TEST_P(Repeated, EachVmExitHasAReason) {
  NEED_LAB(GetParam());
  const Trial trial = measured();
  std::uint64_t exits = 0, reasons = 0, other = 0;
  for (const LedgerEntry& entry : trial.ledger) {
    if (!entry.kind.starts_with("vm_exits")) continue;
    EXPECT_EQ(entry.domain, "guest1");
    EXPECT_EQ(entry.layer, Layer::hypervisor);
    (entry.kind == "vm_exits" ? exits : reasons) += entry.value;
    if (entry.kind == "vm_exits_other") other += entry.value;
  }
  EXPECT_EQ(exits > 0, virtualises(GetParam()));
  EXPECT_EQ(reasons, exits);
  EXPECT_EQ(other, 0U);
}

INSTANTIATE_TEST_SUITE_P(On, Repeated,
                         testing::Values(PlatformId::native, PlatformId::xen_pv, PlatformId::xen_pvh,
                                         PlatformId::kvm, PlatformId::kvm_qemu),
                         [](const auto& one) { return test_name(one.param); });

// A snapshot that was cut short (a full disk, a power cut) costs one boot; the machine of that other boot
// gives the same counts as the first.
TEST(Snapshot, IsBootedAnewWhenDamagedAndCountsTheSame) {
  NEED_LAB(PlatformId::native);
  LabBench& bench = LabBench::get();
  const Folder folder;
  const auto file = bench.copy_of_booted(PlatformId::native, folder.path());
  const auto whole = std::filesystem::file_size(file);
  const auto machine = bench.another(PlatformId::native, folder.path(), bench.probe());
  std::filesystem::resize_file(file, whole / 2);

  int boots = 0;
  const TellStep count = [&](std::string_view step) {
    boots += step.find("booted anew") == std::string_view::npos ? 0 : 1;
  };
  Trial healed = small_trial(PlatformId::native);
  Trial again = healed;
  const auto first_run = machine->run(healed, count);
  ASSERT_TRUE(first_run) << first_run.error().text();
  EXPECT_EQ(boots, 1);
  EXPECT_GT(std::filesystem::file_size(file), whole * 9 / 10);
  ASSERT_TRUE(machine->run(again, count));
  EXPECT_EQ(boots, 1);
  const Trial expected = bench.measured(small_trial(PlatformId::native).factors);
  EXPECT_EQ(healed.digest, expected.digest);
  EXPECT_EQ(again.digest, expected.digest);
  EXPECT_EQ(emulators_left(), 0);
}

}  // namespace
}  // namespace vtax::lab
