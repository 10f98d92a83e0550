#include "study/meaning.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "study/catalogue.h"

namespace vtax {
namespace {

constexpr char everywhere[] = "native container xen-pv xen-pvh xen-hvm xen-hvm-pv kvm kvm-qemu",
               of_xen[] = "xen-pv xen-pvh xen-hvm xen-hvm-pv",
               of_guests[] = "xen-pv xen-pvh xen-hvm xen-hvm-pv kvm kvm-qemu",
               between[] = "container xen-pv xen-pvh xen-hvm xen-hvm-pv kvm kvm-qemu", nowhere[] = "";

// Where a study of the lab may vary a common factor, with cards; said here once more, by hand.
struct Where {
  const char* factor;
  const char* platforms;
  bool inside_too = true;
  bool on_host = true;
};
const std::vector<Where> expected{{"platform", everywhere},
                                  {"topology", everywhere},
                                  {"offloads", everywhere},
                                  {"guests", everywhere},
                                  {"loads", everywhere},
                                  {"guest_cpu", of_guests, true, false},
                                  {"guest_cpus", of_guests, true, false},
                                  {"driver_cpus", of_guests, true, false},
                                  {"scheduler", of_xen, true, false},
                                  {"softload_percent", everywhere},
                                  {"cpu_mips", everywhere, true, false},
                                  {"round_instructions", everywhere, true, false},
                                  {"sampling_hz", everywhere, true, false},
                                  {"system_window", everywhere},
                                  {"peer_window", everywhere},
                                  {"link_mbps", everywhere, false},
                                  {"forwarding", between},
                                  {"cards", everywhere, false, false},
                                  {"driver_interrupts", of_guests, true, false},
                                  {"driver_domains", "xen-pv", true, false},
                                  {"iommu", "xen-pv", true, false},
                                  {"guest_weights", of_xen, true, false},
                                  {"guest_cap_percent", of_xen, true, false},
                                  {"guest_memory_mib", of_guests, true, false},
                                  {"balloon_mib", of_guests, true, false},
                                  {"caches", everywhere, true, false},
                                  {"hardware_counters", nowhere}};

std::string platforms_with(const std::string& factor, std::string_view machine, const std::string& topology) {
  std::string all;
  for (const PlatformFacts& platform : platform_table) {
    if (!platform.in_lab) continue;
    const PlanCell cell{{"platform", std::string(platform.name)}, {"topology", topology}};
    if (has_meaning(factor, machine, cell)) all += fmt::format("{}{}", all.empty() ? "" : " ", platform.name);
  }
  return all;
}

TEST(Meaning, OfEveryCommonFactorIsWhereItIsSaidToBe) {
  for (const Where& where : expected) {
    EXPECT_EQ(platforms_with(where.factor, "lab", "card"), where.platforms) << where.factor;
    EXPECT_EQ(platforms_with(where.factor, "lab", "inside"), where.inside_too ? where.platforms : "")
        << where.factor;
    EXPECT_EQ(is_the_labs_alone(where.factor), !where.on_host) << where.factor;
    EXPECT_EQ(platforms_with(where.factor, "host", "inside").empty(), !where.on_host) << where.factor;
  }
  for (const Factor& factor : common_factors())
    EXPECT_TRUE(std::any_of(expected.begin(), expected.end(), [&](const Where& where) {
      return where.factor == factor.name;
    })) << factor.name;
}

}  // namespace
}  // namespace vtax
