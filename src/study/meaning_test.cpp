#include "study/meaning.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "study/catalogue.h"

namespace vtax {
namespace {

constexpr char kEverywhere[] = "native container xen-pv xen-pvh xen-hvm xen-hvm-pv kvm kvm-qemu",
               kOfXen[] = "xen-pv xen-pvh xen-hvm xen-hvm-pv",
               kOfGuests[] = "xen-pv xen-pvh xen-hvm xen-hvm-pv kvm kvm-qemu",
               kBetween[] = "container xen-pv xen-pvh xen-hvm xen-hvm-pv kvm kvm-qemu", kNowhere[] = "";

// Where a study of the lab may vary a common factor, with cards; said here once more, by hand.
struct Where {
  const char* factor;
  const char* platforms;
  bool inside_too = true;
  bool on_host = true;
  bool with_cards = true;
};
const std::vector<Where> expected{{"platform", kEverywhere},
                                  {"topology", kEverywhere},
                                  {"offloads", kEverywhere},
                                  {"guests", kEverywhere},
                                  {"loads", kEverywhere},
                                  {"guest_cpu", kOfGuests, true, false},
                                  {"guest_cpus", kOfGuests, true, false},
                                  {"driver_cpus", kOfGuests, true, false},
                                  {"scheduler", kOfXen, true, false},
                                  {"softload_percent", kEverywhere},
                                  {"cpu_mips", kEverywhere, true, false},
                                  {"round_instructions", kEverywhere, true, false},
                                  {"sampling_hz", kEverywhere, true, false},
                                  {"system_window", kEverywhere},
                                  {"peer_window", kEverywhere},
                                  {"link_mbps", kEverywhere, false},
                                  {"link_us", kNowhere, true, false},  // but between machines, see below
                                  {"machines", kOfGuests, true, false, false},
                                  {"own_guests", kNowhere, true, false},  // likewise
                                  {"forwarding", kBetween},
                                  {"cards", kEverywhere, false, false},
                                  {"driver_interrupts", kOfGuests, true, false},
                                  {"driver_domains", "xen-pv", true, false},
                                  {"iommu", "xen-pv", true, false},
                                  {"guest_weights", kOfXen, true, false},
                                  {"guest_cap_percent", kOfXen, true, false},
                                  {"guest_memory_mib", kOfGuests, true, false},
                                  {"balloon_mib", kOfGuests, true, false},
                                  {"stack", kEverywhere, true, false},
                                  {"guest_kernel", kOfGuests, true, false},
                                  {"kernel_args", kEverywhere, true, false},
                                  {"guest_args", kOfGuests, true, false},
                                  {"xen_args", kOfXen, true, false},
                                  {"caches", kEverywhere, true, false},
                                  {"prices", kEverywhere, true, false},
                                  {"schedule", kOfXen, true, false},
                                  {"hardware_counters", kNowhere},
                                  {"window_ms", kNowhere}};

std::string platforms_with(const std::string& factor, std::string_view machine, const std::string& topology,
                           const std::string& machines = "1") {
  std::string all;
  for (const PlatformFacts& platform : kPlatformTable) {
    if (!platform.in_lab) continue;
    const PlanCell cell{
        {"platform", std::string(platform.name)}, {"topology", topology}, {"machines", machines}};
    if (has_meaning(factor, machine, cell)) all += fmt::format("{}{}", all.empty() ? "" : " ", platform.name);
  }
  return all;
}

TEST(Meaning, OfEveryCommonFactorIsWhereItIsSaidToBe) {
  for (const Where& where : expected) {
    EXPECT_EQ(platforms_with(where.factor, "lab", "card"), where.with_cards ? where.platforms : "")
        << where.factor;
    EXPECT_EQ(platforms_with(where.factor, "lab", "inside"), where.inside_too ? where.platforms : "")
        << where.factor;
    EXPECT_EQ(is_the_labs_alone(where.factor), !where.on_host) << where.factor;
    EXPECT_EQ(platforms_with(where.factor, "host", "inside").empty(), !where.on_host) << where.factor;
  }
  EXPECT_EQ(platforms_with("link_us", "lab", "joined"), kEverywhere);
  for (const char* factor : {"machines", "own_guests"}) {
    EXPECT_EQ(platforms_with(factor, "lab", "inside", "2"), kOfGuests) << factor;
    EXPECT_EQ(platforms_with(factor, "lab", "card", "2"), "") << factor;
  }
  EXPECT_EQ(platforms_with("link_us", "lab", "inside", "2"), kOfGuests);
  EXPECT_EQ(platforms_with("link_us", "lab", "card", "2"), "");
  for (const Factor& factor : common_factors())
    EXPECT_TRUE(std::any_of(expected.begin(), expected.end(), [&](const Where& where) {
      return where.factor == factor.name;
    })) << factor.name;
}

}  // namespace
}  // namespace vtax
