// Every placement that a study may name: the work is done whole, the ledger balances, and a rerun is the
// same. What a factor is for shows in the ledger: placement_*_test.cpp.

#include "tests/lab/placed.h"

namespace vtax::lab {
namespace {

class Placement : public testing::TestWithParam<Placed> {
 protected:
  void SetUp() override { NEED_LAB(lab_machine_of(GetParam().factors.at("platform"))); }
};

TEST_P(Placement, BalancesAndRepeats) {
  const Trial first = run(small(GetParam().factors)), again = run_anew(small(GetParam().factors));
  if (HasFailure()) return;
  EXPECT_EQ(first.digest.size(), 64U);
  EXPECT_EQ(first.digest, again.digest);
  EXPECT_EQ(first.guests, again.guests);
  std::uint64_t entries = 0, uncharged = 0;
  for (const LedgerEntry& entry : first.ledger) {
    if (entry.kind != "instructions") continue;
    entries += entry.value;
    if (entry.layer == Layer::uncharged) uncharged += entry.value;
  }
  EXPECT_GT(entries, 1'000'000U);
  EXPECT_EQ(entries, first.machine_total.value);
  EXPECT_LE(uncharged * 1000, entries);

  const auto& factors = GetParam().factors;
  const std::size_t guests = factors.contains("guests") ? std::stoul(factors.at("guests")) : 1;
  ASSERT_EQ(first.guests.size(), guests);
  std::uint64_t bytes = 0;
  for (const GuestWork& guest : first.guests) {
    bytes += guest.bytes.value;
    EXPECT_GT(guest.virtual_ns, 0U);
    // The guest's own clock, which it reads just outside the window.
    EXPECT_LE(guest.virtual_ns, first.window_virtual_ns + 100'000);
    if (guest.guest.starts_with("guest")) {
      EXPECT_GT(instructions(first, guest.guest), 100'000U) << guest.guest;
    }
  }
  EXPECT_EQ(bytes, first.work.bytes.value);
  if (factors.contains("topology")) return;
  // What one card sends the other receives, though several ends share them; wires come in their order.
  std::vector<const DeviceCount*> a, b;
  for (const DeviceCount& device : first.devices) {
    if (device.side == "peer") b.push_back(&device);
    if (device.side == "system" && !device.domain.starts_with("guest") && device.device.starts_with("e"))
      a.push_back(&device);
  }
  const bool two_wires = factors.contains("cards") ||
                         (factors.contains("driver_domains") && factors.at("driver_domains") == "2");
  ASSERT_EQ(a.size(), two_wires ? 2U : 1U);
  ASSERT_EQ(b.size(), a.size());
  for (std::size_t wire = 0; wire < a.size(); ++wire) {
    EXPECT_GT(b[wire]->sent.value, 0U);
    EXPECT_EQ(a[wire]->received, b[wire]->sent);
    EXPECT_EQ(b[wire]->received, a[wire]->sent);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Placement,
    testing::Values(
        Placed{"TwoProcessesAndSoftload",
               {{"platform", "native"}, {"guests", "2"}, {"softload_percent", "50"}}},
        Placed{"TwoProcessesInside", {{"platform", "native"}, {"guests", "2"}, {"topology", "inside"}}},
        Placed{"TwoContainers", {{"platform", "container"}, {"guests", "2"}, {"loads", "opposed"}}},
        Placed{"TwoContainersInside", {{"platform", "container"}, {"guests", "2"}, {"topology", "inside"}}},
        Placed{"TwoGuests", {{"platform", "xen-pv"}, {"guests", "2"}, {"loads", "halving"}}},
        Placed{"TwoGuestsInside",
               {{"platform", "xen-pv"}, {"guests", "2"}, {"loads", "opposed"}, {"topology", "inside"}}},
        Placed{"TwoGuestsOneCpuAndWindows",
               {{"platform", "xen-pv"},
                {"guests", "2"},
                {"guest_cpu", "together"},
                {"system_window", "16384"},
                {"peer_window", "65536"}}},
        Placed{"GuestOnDriversCpu", guest_on("driver")}, Placed{"Link", forwarded("bridge")},
        Placed{"RoutedContainersInside",
               {{"platform", "container"}, {"guests", "2"}, {"forwarding", "route"}, {"topology", "inside"}}},
        Placed{"TranslatedContainers",
               {{"platform", "container"}, {"guests", "2"}, {"forwarding", "nat"}, {"loads", "opposed"}}},
        Placed{"TwoCardsOfProcesses", {{"platform", "native"}, {"guests", "2"}, {"cards", "2"}}},
        Placed{"TwoCardsOfContainers",
               {{"platform", "container"}, {"guests", "3"}, {"cards", "2"}, {"forwarding", "nat"}}},
        Placed{"RoutedGuestInside",
               {{"platform", "xen-pv"}, {"forwarding", "route"}, {"topology", "inside"}}},
        Placed{"RoutedGuestAndSoftload",
               {{"platform", "xen-pv"}, {"forwarding", "route"}, {"softload_percent", "90"}}},
        Placed{"TranslatedGuests",
               {{"platform", "xen-pv"}, {"guests", "2"}, {"forwarding", "nat"}, {"loads", "opposed"}}},
        Placed{"TwoCardsByCard", two_cards({{"driver_interrupts", "by-card"}, {"loads", "opposed"}})},
        Placed{"TwoCardsRouted", two_cards({{"driver_interrupts", "apart"}, {"forwarding", "route"}})},
        Placed{"TwoGuestsOfTwoCpus",
               {{"platform", "xen-pv"},
                {"guests", "2"},
                {"guest_cpus", "2"},
                {"driver_cpus", "4"},
                {"loads", "opposed"}}},
        Placed{"GuestOfKvmWithThreeCpus", {{"platform", "kvm"}, {"guest_cpus", "3"}, {"driver_cpus", "3"}}},
        Placed{"TwoDriverDomains",
               driver_domains(
                   "2", {{"guests", "2"}, {"loads", "opposed"}, {"driver_cpus", "2"}, {"link_mbps", "100"}})},
        Placed{"Credit",
               {{"platform", "xen-pv"}, {"guests", "2"}, {"guest_cpu", "driver"}, {"scheduler", "credit"}}},
        Placed{"TwoGuestsOfKvm", two_guests_of_kvm("own")},
        Placed{"TwoGuestsOfKvmOneCpu", two_guests_of_kvm("driver")},
        Placed{"TwoCardsOfKvmTranslated", two_cards_of_kvm({{"forwarding", "nat"}, {"loads", "opposed"}})},
        Placed{"MacvtapsOnTwoCards", two_cards_of_kvm({{"forwarding", "macvtap"},
                                                       {"loads", "opposed"},
                                                       {"driver_interrupts", "swapped"}})},
        Placed{"MacvtapWithThreeQueues",
               {{"platform", "kvm"},
                {"guest_cpus", "3"},
                {"driver_cpus", "3"},
                {"forwarding", "macvtap"},
                {"link_mbps", "100"}}},
        Placed{"MacvtapBehindQemu", {{"platform", "kvm-qemu"}, {"forwarding", "macvtap"}}},
        Placed{"RoutedGuestOfPvh",
               {{"platform", "xen-pvh"}, {"forwarding", "route"}, {"balloon_mib", "128"}}},
        Placed{"TranslatedFullyVirtualisedGuest", {{"platform", "xen-hvm"}, {"forwarding", "nat"}}}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace vtax::lab
