// The count against a clock that knows nothing of it. A CPU's time stamp counter is its own virtual time,
// which advances by two for each instruction that it executes, and by more only when it sleeps. A program
// that never sleeps therefore knows how many instructions its CPU executed between two readings:
//   (t1 - t0) / 2 = instructions in the window + those between the readings and the markers
// The last term is the same for every window of the same program; an empty window measures it.

#include "tests/lab/self_check.h"

namespace vtax::lab {
namespace {

constexpr std::uint64_t kTicksPerInstruction = 2;  // Speed: 2 ns an instruction

std::string domain_of(PlatformId kind) {
  return has_xen(kind) ? "Domain-0" : "host";
}

// All that its CPU executed, whatever for.
std::int64_t on_cpu_0(const Ledger& ledger) {
  std::uint64_t total = 0;
  for (const LedgerEntry& entry : ledger.entries)
    if (entry.kind == "instructions" && entry.cpu == 0) total += entry.value;
  return static_cast<std::int64_t>(total);
}

// Instructions by the clock, less those that were counted.
std::int64_t uncounted(const Checked& checked) {
  EXPECT_TRUE(checked.seen.result.tsc_ticks.has_value());
  const std::uint64_t ticks = checked.seen.result.tsc_ticks.value_or(0);
  EXPECT_EQ(ticks % kTicksPerInstruction, 0U);
  EXPECT_EQ(checked.ledger.machine_total.value + checked.ledger.peer_total.value,
            checked.seen.window->total.value);
  return static_cast<std::int64_t>(ticks / kTicksPerInstruction) - on_cpu_0(checked.ledger);
}

std::optional<Checked> alone(PlatformId kind, const KnownWork& work) {
  return self_check(kind, {{"work", work.to_json()}});
}

class ExactCount : public testing::TestWithParam<PlatformId> {
 protected:
  // Between the markers and the readings of the clock; the same in all windows.
  static std::int64_t reading(PlatformId kind) {
    static std::map<PlatformId, std::int64_t> known;
    if (!known.contains(kind)) {
      const auto empty = alone(kind, {});
      if (!empty) return 0;
      known[kind] = uncounted(*empty);
      EXPECT_GE(known[kind], 1);
      EXPECT_LE(known[kind], 20);
      EXPECT_LT(on_cpu_0(empty->ledger), 2000);
    }
    return known[kind];
  }
};

TEST_P(ExactCount, OfAProgramAndItsSystemCalls) {
  NEED_LAB(GetParam());
  const KnownWork work{10'000'000, 0, 20'000, 0, 0};
  const auto checked = alone(GetParam(), work);
  ASSERT_TRUE(checked);
  EXPECT_EQ(uncounted(*checked), reading(GetParam()));
  EXPECT_EQ(checked->uncharged(), 0U);
  const std::string domain = domain_of(GetParam());
  // A function's own few instructions come on top of its rounds.
  EXPECT_EQ(checked->cost(domain, "known_work::spin") / 10, KnownWork::kPerLoop * work.loops / 10);
  EXPECT_EQ(checked->cost(domain, "known_work::call_kernel") / 10,
            KnownWork::kPerSystemCall * work.system_calls / 10);
  EXPECT_EQ(checked->sum("system_calls", domain), work.system_calls);
}

TEST_P(ExactCount, OfDeviceAccesses) {
  NEED_LAB(GetParam());
  const KnownWork work{0, 0, 0, 3'000, 3'000};
  const auto checked = alone(GetParam(), work);
  ASSERT_TRUE(checked);
  EXPECT_EQ(uncounted(*checked), reading(GetParam()));
  EXPECT_EQ(checked->uncharged(), 0U);
  const std::string domain = domain_of(GetParam());
  // In Domain-0 the access traps and Xen executes one of its own: the program's is never executed.
  const std::uint64_t per_port_access = KnownWork::kPerPortAccess - (has_xen(GetParam()) ? 1 : 0);
  EXPECT_EQ(checked->cost(domain, "known_work::write_port") / 10, per_port_access * work.port_accesses / 10);
  EXPECT_EQ(checked->cost(domain, "known_work::read_status") / 10,
            KnownWork::kPerMemoryAccess * work.memory_accesses / 10);
}

// Each fault leaves its block in the middle, and some fall together with the end of the CPU's turn.
TEST_P(ExactCount, OfPageFaults) {
  NEED_LAB(GetParam());
  const KnownWork work{0, 12'000, 0, 0, 0};
  const auto checked = alone(GetParam(), work);
  ASSERT_TRUE(checked);
  EXPECT_EQ(uncounted(*checked), reading(GetParam()));
  const std::string domain = domain_of(GetParam());
  EXPECT_EQ(checked->cost(domain, "known_work::touch") / 10, KnownWork::kPerPage * work.pages / 10);
  EXPECT_GE(checked->sum("page_faults", domain), work.pages);
  EXPECT_LE(checked->sum("page_faults", domain), work.pages + 10);
}

INSTANTIATE_TEST_SUITE_P(On, ExactCount,
                         testing::Values(PlatformId::native, PlatformId::xen_pv, PlatformId::xen_pvh,
                                         PlatformId::kvm),
                         [](const auto& one) { return test_name(one.param); });

}  // namespace
}  // namespace vtax::lab
