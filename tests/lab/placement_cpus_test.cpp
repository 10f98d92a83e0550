// On which CPUs guests and what works for them are.

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/lab/placed.h"

namespace vtax::lab {
namespace {

// The agent asks each guest what it has come up with.
class PlacementOfGuestCpus : public testing::TestWithParam<FactorMap> {};

TEST_P(PlacementOfGuestCpus, AreThereWithAsManyQueuesAndWorkOnCpusOfTheirOwn) {
  NEED_LAB(lab_machine_of(GetParam().at("platform")));
  Trial trial;  // of so many connections that every queue has some, however the kernels hash them
  trial.factors = {{"topology", "card"},     {"workload", "http"}, {"direction", "receive"},
                   {"offloads", "off"},      {"requests", "60"},   {"file_bytes", "1448"},
                   {"warmup_requests", "10"}};
  for (const auto& [key, value] : GetParam()) trial.factors[key] = value;
  const auto kind = machine_of(trial.factors);
  ASSERT_TRUE(kind);
  const auto plan = plan_of(trial);
  ASSERT_TRUE(plan);
  const LabMachine& machine = LabBench::get().machine(kind->image, kind->shape);
  const int before_guests = 1 + kind->shape.driver_cpus;
  EXPECT_EQ(machine.spec().cpus, before_guests + kind->shape.guests * kind->shape.guest_cpus);
  const auto seen = machine.observe(*plan, quiet);
  ASSERT_TRUE(seen) << seen.error().text();
  const nlohmann::json guests = nlohmann::json::parse(seen->answer).at("guest_cpus");
  ASSERT_EQ(guests.size(), static_cast<std::size_t>(kind->shape.guests));
  for (const nlohmann::json& guest : guests) {
    EXPECT_EQ(guest.at("cpus"), kind->shape.guest_cpus);
    EXPECT_EQ(guest.at("queues"), kind->shape.guest_cpus);
  }
  const auto ledger = machine.ledger_of(*seen, {1});
  ASSERT_TRUE(ledger) << ledger.error().text();
  std::map<std::string, std::set<int>> cpus_of;
  std::uint64_t charged = 0;
  for (const LedgerEntry& row : ledger->entries) {
    if (row.kind != "instructions") continue;
    charged += row.value;
    if (row.layer == Layer::kernel && row.value > 0) cpus_of[row.domain].insert(row.cpu);
  }
  EXPECT_EQ(charged, ledger->machine_total.value);
  for (int guest = 1; guest <= kind->shape.guests; ++guest) {
    const int first = before_guests + (guest - 1) * kind->shape.guest_cpus;
    for (const int cpu : cpus_of[fmt::format("guest{}", guest)]) {
      EXPECT_GE(cpu, first);
      EXPECT_LT(cpu, first + kind->shape.guest_cpus);
    }
    EXPECT_EQ(cpus_of[fmt::format("guest{}", guest)].size(),
              static_cast<std::size_t>(kind->shape.guest_cpus));
  }
  // The card's work is on the driver domain's first CPU, and queues on each of the others: those of guest k
  // begin at the k-th behind the first.
  const std::string driver = has_xen(kind->image) ? "Domain-0" : "host";
  std::map<int, std::uint64_t> of_driver;
  std::uint64_t all = 0;
  for (const LedgerEntry& row : ledger->entries)
    if (row.kind == "instructions" && row.layer == Layer::driver && row.domain == driver &&
        row.cpu < before_guests)
      of_driver[row.cpu] += row.value, all += row.value;
  ASSERT_GE(kind->shape.guests + kind->shape.guest_cpus, kind->shape.driver_cpus);
  EXPECT_EQ(of_driver.size(), static_cast<std::size_t>(kind->shape.driver_cpus));
  for (const auto& [cpu, work] : of_driver) EXPECT_GT(work * 20, all) << "CPU " << cpu;
}

INSTANTIATE_TEST_SUITE_P(Of, PlacementOfGuestCpus,
                         testing::Values(FactorMap{{"platform", "xen-pv"},
                                                   {"guests", "2"},
                                                   {"guest_cpus", "2"},
                                                   {"driver_cpus", "4"},
                                                   {"loads", "opposed"}},
                                         FactorMap{
                                             {"platform", "kvm"}, {"guest_cpus", "3"}, {"driver_cpus", "3"}}),
                         [](const auto& one) { return test_name(lab_machine_of(one.param.at("platform"))); });

TEST(PlacementOnACpu, IsWhereTheGuestRuns) {
  NEED_LAB(PlatformId::xen_pv);
  for (const auto& [placed, cpu] : {std::pair{"own", 2}, {"driver", 0}}) {
    const Trial trial = run(small(guest_on(placed)));
    EXPECT_EQ(instructions(trial, "guest1", {Layer::kernel, Layer::program}),
              instructions(trial, "guest1", {Layer::kernel, Layer::program}, cpu))
        << placed;
  }
}

TEST(PlacementOnACpu, IsWhereGuestsOfKvmRun) {
  NEED_LAB(PlatformId::kvm);
  const std::set<Layer> own = {Layer::kernel, Layer::program};
  for (const auto& [placed, first, second] :
       {std::tuple{"own", 2, 3}, {"together", 2, 2}, {"driver", 0, 0}}) {
    const Trial trial = run(small(two_guests_of_kvm(placed)));
    for (const auto& [guest, cpu] : {std::pair{"guest1", first}, {"guest2", second}})
      EXPECT_EQ(instructions(trial, guest, own), instructions(trial, guest, own, cpu))
          << placed << " " << guest;
  }
}

class PlacementOfInterrupts : public testing::TestWithParam<std::pair<PlatformId, FactorMap>> {};

TEST_P(PlacementOfInterrupts, GivesTheDriverDomainsSecondCpuItsWork) {
  const auto& [kind, factors] = GetParam();
  NEED_LAB(kind);
  const auto second_cpu = [&factors = factors, kind = kind](const char* interrupts) {
    FactorMap with = factors;
    with["driver_interrupts"] = interrupts;
    return instructions(run(small(with)), has_xen(kind) ? "Domain-0" : "host", {Layer::driver}, 2);
  };
  const std::uint64_t standard = second_cpu("first"), by_card = second_cpu("by-card");
  EXPECT_GT(by_card, 1'000'000U);
  EXPECT_LT(standard * 20, by_card);  // timers alone
}

INSTANTIATE_TEST_SUITE_P(Of, PlacementOfInterrupts,
                         testing::Values(std::pair{PlatformId::xen_pv, two_cards({})},
                                         std::pair{PlatformId::kvm, two_cards_of_kvm({})}),
                         [](const auto& one) { return test_name(one.param.first); });

}  // namespace
}  // namespace vtax::lab
