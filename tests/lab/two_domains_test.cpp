// Two domains that do different, known work at the same time, on two CPUs and on one.

#include "tests/lab/self_check.h"

namespace vtax::lab {
namespace {

constexpr KnownWork kDomain0{5'000'000, 0, 3'000, 0, 0};
constexpr KnownWork kGuest{12'000'000, 0, 7'000, 0, 0};

class TwoDomains : public testing::TestWithParam<bool> {
 protected:
  static constexpr const char* kNames[2] = {"Domain-0", "guest1"};

  static std::optional<Checked> together(KnownWork own, KnownWork guest, bool share) {
    return self_check(LabKind::xen_pv,
                      {{"work", own.to_json()}, {"guest", guest.to_json()}, {"share_cpu", share}});
  }

  static std::uint64_t program(const Checked& checked, const std::string& domain) {
    std::uint64_t total = 0;
    for (const LedgerEntry& entry : checked.ledger.entries)
      if (entry.kind == "instructions" && entry.domain == domain &&
          (entry.layer == Layer::program || entry.part == Part::program))
        total += entry.value;
    return total;
  }
};

TEST_P(TwoDomains, PayForTheirOwnWork) {
  NEED_LAB(LabKind::xen_pv);
  const bool share = GetParam();
  const auto checked = together(kDomain0, kGuest, share);
  KnownWork own = kDomain0;
  KnownWork theirs = kGuest;
  own.system_calls = theirs.system_calls = 0;
  const auto without_calls = together(own, theirs, share);
  ASSERT_TRUE(checked && without_calls);
  EXPECT_EQ(checked->uncharged(), 0U);

  double per_call[2] = {};
  const KnownWork work[2] = {kDomain0, kGuest};
  for (int i = 0; i < 2; ++i) {
    const std::string domain = kNames[i];
    SCOPED_TRACE(domain);
    // To the instruction, however often Xen switched between the two: only a function's own few come on top.
    EXPECT_EQ(checked->cost(domain, "known_work::spin") / 10, KnownWork::per_loop * work[i].loops / 10);
    EXPECT_EQ(checked->cost(domain, "known_work::call_kernel") / 10,
              KnownWork::per_system_call * work[i].system_calls / 10);
    const std::uint64_t known =
        KnownWork::per_loop * work[i].loops + KnownWork::per_system_call * work[i].system_calls;
    EXPECT_GE(program(*checked, domain), known);
    EXPECT_LE(program(*checked, domain), known + 3'000);  // its sleeping and looking at the clock

    constexpr std::uint64_t kOtherCalls = 20;
    EXPECT_GE(checked->sum("system_calls", domain), work[i].system_calls);
    EXPECT_LE(checked->sum("system_calls", domain), work[i].system_calls + kOtherCalls);
    // A PV kernel returns from each system call by a hypercall.
    const auto hypercalls = checked->sum("hypercalls", domain);
    const auto other_hypercalls = without_calls->sum("hypercalls", domain);
    EXPECT_NEAR(static_cast<double>(hypercalls - other_hypercalls), static_cast<double>(work[i].system_calls),
                0.02 * static_cast<double>(work[i].system_calls));

    per_call[i] = (static_cast<double>(checked->sum("instructions", domain, {Layer::hypervisor})) -
                   static_cast<double>(without_calls->sum("instructions", domain, {Layer::hypervisor}))) /
                  static_cast<double>(work[i].system_calls);
    EXPECT_GT(per_call[i], 20);
    RecordProperty(domain + "_hypervisor_instructions_per_call", std::to_string(per_call[i]));
  }
  EXPECT_NEAR(per_call[0] / per_call[1], 1, 0.02) << per_call[0] << " and " << per_call[1];
}

TEST_P(TwoDomains, RunWhereTheyWerePut) {
  NEED_LAB(LabKind::xen_pv);
  const bool share = GetParam();
  const auto checked = together(kDomain0, kGuest, share);
  ASSERT_TRUE(checked);
  const int guest_cpu = share ? 0 : 2;
  EXPECT_EQ(checked->sum("instructions", "guest1", {Layer::program}),
            checked->sum("instructions", "guest1", {Layer::program}, guest_cpu));
  // 10 ms is the longest that credit2 lets one of two busy virtual CPUs run; together they need 70 ms.
  const auto switches = checked->sum("context_switches", "guest1", {}, guest_cpu);
  if (share) {
    EXPECT_GE(switches, 3U);
  }
  RecordProperty("context_switches", std::to_string(switches));
}

INSTANTIATE_TEST_SUITE_P(On, TwoDomains, testing::Bool(),
                         [](const auto& one) { return one.param ? "OneCpu" : "TwoCpus"; });

}  // namespace
}  // namespace vtax::lab
