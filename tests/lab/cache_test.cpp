// What the cache model tells of work whose misses arithmetic knows, and that it changes no other count.

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

constexpr std::uint64_t kArray = 64 << 10, kRounds = 4;
// STREAM's kernels name 2, 2, 3 and 3 arrays; each line of each is touched in turn.
constexpr std::uint64_t kLines = 10 * kArray / 64 * kRounds;

Trial with_caches(const std::string& caches, std::map<std::string, std::string> work) {
  Trial trial;
  trial.factors = std::move(work);
  trial.factors.insert({{"platform", "native"}, {"topology", "inside"}, {"caches", caches}});
  return trial;
}

Trial run_natively(Trial trial) {
  const auto done = LabBench::get().machine(PlatformId::native).run(trial, quiet);
  if (!done) ADD_FAILURE() << done.error().text();
  return trial;
}

Trial stream(const std::string& caches) {
  return run_natively(with_caches(caches, {{"workload", "memory"},
                                           {"array_bytes", std::to_string(kArray)},
                                           {"rounds", std::to_string(kRounds)}}));
}

std::uint64_t of_program(const Trial& trial, std::string_view kind) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.layer == Layer::program && entry.kind == kind) sum += entry.value;
  return sum;
}

void expect_about(std::uint64_t seen, std::uint64_t known, const char* what) {
  EXPECT_GE(seen, known - known / 50) << what;
  EXPECT_LE(seen, known + known / 50 + 300) << what;
}

TEST(Caches, SweepsMissWhatArithmeticSays) {
  NEED_LAB(PlatformId::native);
  const Trial fits = stream("512KiB/8+512KiB/8+1MiB/8+4MiB/16");
  expect_about(of_program(fits, "l1d_misses"), 0, "all in L1");
  const Trial in_l2 = stream("8KiB/8+8KiB/8+1MiB/8+4MiB/16");
  expect_about(of_program(in_l2, "l1d_misses"), kLines, "larger than L1");
  expect_about(of_program(in_l2, "l2_misses"), 0, "all in L2");
  const Trial nowhere = stream("8KiB/8+8KiB/8+16KiB/8+64KiB/16");
  for (const char* level : {"l1d_misses", "l2_misses", "l3_misses"})
    expect_about(of_program(nowhere, level), kLines, level);
  EXPECT_GT(of_program(nowhere, "memory_accesses"), 4 * kLines);
}

TEST(Caches, ALoopInRegistersMissesNothing) {
  NEED_LAB(PlatformId::native);
  const Trial loop = run_natively(with_caches("epyc", {{"workload", "cpu-loop"}, {"iterations", "2000000"}}));
  EXPECT_LT(of_program(loop, "l1d_misses"), 300U);
  EXPECT_LT(of_program(loop, "l1i_misses"), 300U);
}

class CachesOn : public testing::TestWithParam<PlatformId> {};

TEST_P(CachesOn, EveryOtherCountIsTheSameAndMissesRepeat) {
  NEED_LAB(GetParam());
  const LabMachine& machine = LabBench::get().machine(GetParam());
  const std::map<std::string, std::string> work = {{"platform", std::string(name_of(GetParam()))},
                                                   {"topology", "card"},
                                                   {"workload", "tcp-stream"},
                                                   {"direction", "send"},
                                                   {"offloads", "off"},
                                                   {"bytes", "262144"},
                                                   {"write_bytes", "1448"},
                                                   {"warmup_bytes", "65536"}};
  Trial without, with, again;
  without.factors = with.factors = work;
  with.factors["caches"] = "epyc";
  again = with;
  for (Trial* trial : {&without, &with, &again}) {
    const auto done = machine.run(*trial, quiet);
    ASSERT_TRUE(done) << done.error().text();
  }
  EXPECT_EQ(with.digest, again.digest);
  EXPECT_EQ(with.ledger, again.ledger);
  EXPECT_EQ(with.functions, without.functions);
  EXPECT_EQ(with.timeline, without.timeline);
  EXPECT_EQ(with.window_virtual_ns, without.window_virtual_ns);
  std::map<std::string, std::uint64_t> sums;
  std::vector<LedgerEntry> others;
  for (const LedgerEntry& entry : with.ledger) {
    if (entry.kind.ends_with("_misses") || entry.kind == "memory_accesses")
      sums[entry.kind] += entry.value;
    else
      others.push_back(entry);
  }
  EXPECT_EQ(others, without.ledger);
  EXPECT_GT(sums["l1d_misses"], 1000U);
  EXPECT_GE(sums["memory_accesses"], sums["l1d_misses"]);
  EXPECT_GE(sums["l1d_misses"] + sums["l1i_misses"], sums["l2_misses"]);
  EXPECT_GE(sums["l2_misses"], sums["l3_misses"]);
}

INSTANTIATE_TEST_SUITE_P(On, CachesOn,
                         testing::Values(PlatformId::native, PlatformId::xen_pv, PlatformId::kvm),
                         [](const auto& one) { return test_name(one.param); });

}  // namespace
}  // namespace vtax::lab
