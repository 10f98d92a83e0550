// What lies between a guest and the wire: a bridge, a router, the card itself, a driver domain.

#include "tests/lab/placed.h"

namespace vtax::lab {
namespace {

// Full frames over a gigabit wire carry 941.49 Mb/s of TCP payload (Primet); here at a tenth of it, for which
// the emulated CPU is quick enough on every platform.
TEST(Link, CarriesWhatEthernetCarries) {
  NEED_LAB(PlatformId::native);
  for (const char* direction : {"receive", "send"}) {
    const Trial trial = run(small({{"platform", "native"},
                                   {"link_mbps", "100"},
                                   {"direction", direction},
                                   {"bytes", "4194304"},
                                   {"warmup_bytes", "1048576"}}));
    ASSERT_GT(trial.window_virtual_ns, 0U);
    const double mbps =
        static_cast<double>(trial.work.bytes.value) * 8e3 / static_cast<double>(trial.window_virtual_ns);
    EXPECT_NEAR(mbps, 94.149, 3) << direction;  // the bucket lets the first 128 KiB through at once
    RecordProperty(std::string(direction) + "_mbps", std::to_string(mbps));
  }
}

TEST(PlacementOfForwarding, ShowsInTheFunctionsOfTheDriverDomain) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial bridged = run(small(forwarded("bridge"))), routed = run(small(forwarded("route"))),
              translated = run(small(forwarded("nat")));
  EXPECT_GT(cost_of(bridged, "Domain-0", "br_handle_frame"), 0U);
  EXPECT_EQ(cost_of(routed, "Domain-0", "br_handle_frame"), 0U);
  EXPECT_EQ(cost_of(bridged, "Domain-0", "ip_forward"), 0U);
  EXPECT_GT(cost_of(routed, "Domain-0", "ip_forward"), 0U);
  EXPECT_EQ(cost_of(routed, "Domain-0", "nf_nat"), 0U);
  EXPECT_GT(cost_of(translated, "Domain-0", "nf_nat"), 0U);
  EXPECT_GT(instructions(translated, "Domain-0", {Layer::driver}),
            instructions(routed, "Domain-0", {Layer::driver}));
}

// A tap on the card has no bridge, and a host that works for it all the same.
TEST(PlacementOfForwarding, OfMacvtapsIsTheHostsWorkWithoutABridge) {
  NEED_LAB(PlatformId::kvm);
  const auto forwarded = [](const char* way) {
    return run(small({{"platform", "kvm"}, {"forwarding", way}}));
  };
  const Trial bridged = forwarded("bridge"), tapped = forwarded("macvtap");
  EXPECT_GT(cost_of(bridged, "host", "br_handle_frame"), 0U);
  EXPECT_EQ(cost_of(bridged, "host", "macvlan_handle_frame"), 0U);
  EXPECT_EQ(cost_of(tapped, "host", "br_handle_frame"), 0U);
  for (const char* function : {"macvlan_handle_frame", "tap_handle_frame", "handle_rx", "e1000_clean"})
    EXPECT_GT(cost_of(tapped, "host", function), 0U) << function;
  EXPECT_LT(instructions(tapped, "host", {Layer::driver}), instructions(bridged, "host", {Layer::driver}));
}

// The card is the switch: nobody between is left but who passes interrupts on.
class PlacementOfFunctions : public testing::TestWithParam<FactorMap> {};

TEST_P(PlacementOfFunctions, LeavesTheDriverDomainOut) {
  NEED_LAB(lab_machine_of(GetParam().at("platform")));
  FactorMap factors = GetParam();
  factors["forwarding"] = "vf";
  const Trial trial = run(small(factors)), again = run_anew(small(factors));
  ASSERT_EQ(trial.digest.size(), 64U);
  EXPECT_EQ(trial.digest, again.digest);
  const std::string driver = factors.at("platform") == "kvm" ? "host" : "Domain-0";
  for (const char* function : {"br_handle_frame", "xenvif_", "handle_rx", "igb_clean_rx_irq"})
    EXPECT_EQ(cost_of(trial, driver, function), 0U) << function;
  std::uint64_t of_the_guests = 0, of_the_peer = 0;
  for (const DeviceCount& device : trial.devices) {
    if (device.side == "peer") of_the_peer += device.received.value;
    if (device.domain.starts_with("guest")) of_the_guests += device.sent.value;
  }
  EXPECT_GT(of_the_peer, 0U);
  EXPECT_EQ(of_the_guests, of_the_peer);
  for (const GuestWork& guest : trial.guests)
    EXPECT_GT(cost_of(trial, guest.guest, "igbvf_"), 10'000U) << guest.guest;
}

INSTANTIATE_TEST_SUITE_P(
    Of, PlacementOfFunctions,
    testing::Values(FactorMap{{"platform", "xen-pv"}, {"guests", "2"}, {"loads", "opposed"}},
                    FactorMap{{"platform", "kvm"}}),
    [](const auto& one) { return test_name(lab_machine_of(one.param.at("platform"))); });

// The driver domain does what Domain-0 did: driver, bridge and backend; Domain-0 is idle but for its timers.
TEST(PlacementOfDriverDomains, TakesDomain0sWork) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial before = run(small({{"platform", "xen-pv"}, {"direction", "send"}})),
              trial = run(small(driver_domains("1", {{"direction", "send"}})));
  for (const char* function : {"e1000_clean", "br_handle_frame", "xenvif_"}) {
    EXPECT_GT(cost_of(before, "Domain-0", function), 10'000U) << function;
    EXPECT_EQ(cost_of(trial, "Domain-0", function), 0U) << function;
    EXPECT_GT(cost_of(trial, "driver1", function), 10'000U) << function;
  }
  EXPECT_LT(instructions(trial, "Domain-0", {Layer::driver}) * 10,
            instructions(trial, "driver1", {Layer::driver}));
  // Xen maps for the card what a guest grants the driver domain, and never for Domain-0's.
  EXPECT_GT(cost_of(trial, "driver1", "iommu"), 1'000U);
  EXPECT_EQ(cost_of(before, "Domain-0", "iommu"), 0U);
}

}  // namespace
}  // namespace vtax::lab
