#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "study/testing/first_look.h"

namespace vtax {
namespace {

using testing::HasSubstr;

struct Together {
  const char* name;
  std::vector<std::string> set;
  const char* says;  // part of the error; empty: they go together
};
class WhatGoesTogether : public testing::TestWithParam<Together> {};

TEST_P(WhatGoesTogether, IsCheckedBeforeAnythingBoots) {
  std::vector<std::string> set = GetParam().set;
  for (const char* usual : {"workload=tcp-rr", "topology=card"}) {
    const std::string_view name = std::string_view(usual).substr(0, std::string_view(usual).find('=') + 1);
    const auto says = [name](const std::string& one) { return one.starts_with(name); };
    if (std::none_of(set.begin(), set.end(), says)) set.emplace_back(usual);
  }
  EXPECT_THAT(error_of(set), HasSubstr(*GetParam().says == '\0' ? "no error" : GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Of, WhatGoesTogether,
    testing::Values(
        Together{"RoutedGuests", {"platform=xen-pv,container", "forwarding=bridge,route,nat"}, ""},
        Together{"RoutedKvm", {"platform=kvm,kvm-qemu", "forwarding=route,nat"}, ""},
        Together{"TwoCardsOfFullVirtualisation", {"platform=xen-hvm,xen-hvm-pv", "cards=2"}, ""},
        Together{"FunctionsOfACard", {"platform=xen-pv,kvm", "forwarding=bridge,vf", "guests=1,2"}, ""},
        Together{"FunctionsOfContainers",
                 {"platform=container", "forwarding=vf"},
                 "on platform 'container' nobody is given a function of a card\n  name xen-pv or kvm"},
        Together{"FunctionsBesideContainers", {"platform=container,xen-pv", "forwarding=bridge,vf"}, ""},
        Together{"FunctionsInside",
                 {"platform=xen-pv", "forwarding=vf", "topology=inside"},
                 "on topology inside there is no card whose functions guests have"},
        Together{"FunctionsJoined",
                 {"platform=xen-pv", "forwarding=vf", "topology=joined", "direction=send"},
                 "on topology joined there is no card"},
        Together{"FunctionsOfTwoCards",
                 {"platform=xen-pv", "forwarding=vf", "cards=2"},
                 "with forwarding vf there is no choice of 'cards' yet"},
        Together{"FunctionsOfALimitedWire",
                 {"platform=kvm", "forwarding=vf", "link_mbps=100"},
                 "with forwarding vf there is no choice of 'link_mbps' yet"},
        Together{"FunctionsOnTheHost",
                 {"machine=host", "platform=container", "topology=inside", "forwarding=vf"},
                 "on machine host no guest is given a function of a card"},
        Together{"Macvtaps",
                 {"platform=kvm,kvm-qemu", "forwarding=bridge,macvtap", "guests=1,2", "cards=1,2",
                  "link_mbps=0,100", "driver_cpus=1,2", "driver_interrupts=apart,swapped", "guest_cpus=1,2"},
                 ""},
        Together{"MacvtapsOfXen",
                 {"platform=xen-pv", "forwarding=macvtap"},
                 "on platform 'xen-pv' no guest can have a macvtap: Xen has no backend for it\n  name kvm or "
                 "kvm-qemu"},
        Together{"MacvtapsOfContainers",
                 {"platform=container", "forwarding=macvtap"},
                 "on platform 'container' no guest can have a macvtap\n"},
        Together{"MacvtapsBesideXen", {"platform=kvm,xen-pv", "forwarding=bridge,macvtap,vf"}, ""},
        Together{"MacvtapsInside",
                 {"platform=kvm", "forwarding=macvtap", "topology=inside"},
                 "on topology inside there is no card that guests could have a macvtap on"},
        Together{"MacvtapsJoined",
                 {"platform=kvm", "forwarding=macvtap", "topology=joined", "direction=send"},
                 "on topology joined there is no card"},
        Together{"MacvtapsOnTheHost",
                 {"machine=host", "platform=kvm", "topology=inside", "forwarding=macvtap"},
                 "on machine host no guest has a macvtap yet"},
        Together{"NatToKvmsHost",
                 {"platform=kvm", "forwarding=nat", "topology=inside"},
                 "nothing is to be translated"},
        Together{
            "ContainersMayTranslateInside", {"platform=container", "forwarding=nat", "topology=inside"}, ""},
        Together{"NatToDomain0",
                 {"platform=xen-pv", "forwarding=nat", "topology=inside"},
                 "nothing is to be translated"},
        Together{"DriverDomains", {"platform=native,xen-pv", "driver_domains=0,1,2", "guests=1,2"}, ""},
        Together{"DriverDomainsOfKvm",
                 {"platform=kvm", "driver_domains=1"},
                 "on platform kvm 'driver_domains' can only be 0\n  leave it out, or name a platform that "
                 "has a choice of it: xen-pv"},
        Together{"DriverDomainsOfPvh",
                 {"platform=xen-pvh,kvm", "driver_domains=1"},
                 "on platform xen-pvh and platform kvm 'driver_domains' can only be 0"},
        Together{
            "IommuOfHvm", {"platform=xen-hvm", "iommu=on"}, "on platform xen-hvm 'iommu' can only be off"},
        Together{"CardsInside",
                 {"platform=xen-pv", "cards=2", "topology=inside"},
                 "on topology inside 'cards' can only be 1\n  leave it out, or take topology"},
        Together{
            "JoinedGuests",
            {"platform=native,container,xen-pv,kvm", "topology=card,joined", "direction=send", "link_us=5"},
            ""},
        Together{"JoinedReceivers",
                 {"platform=native", "topology=joined", "direction=receive"},
                 "the system under test begins each exchange"},
        Together{"JoinedWork",
                 {"platform=native", "topology=joined", "workload=memory"},
                 "'memory' has no end in another machine"},
        Together{"JoinedWebServers",
                 {"platform=native", "topology=joined", "workload=http"},
                 "'http' has no end in another machine"},
        Together{"JoinedDrivers",
                 {"platform=xen-pv", "topology=joined", "direction=send", "driver_domains=1"},
                 "with topology joined there is no choice of 'driver_domains' yet"},
        Together{"JoinedAtPrices",
                 {"platform=native", "topology=joined", "direction=send", "prices=kernel:2+program:1"},
                 "with topology joined there is no choice of 'prices' yet"},
        Together{"LinksOfOneMachine",
                 {"platform=native", "topology=card", "link_us=5"},
                 "on topology card 'link_us' can only be 20\n  leave it out, or take topology = \"joined\""},
        Together{"FourMachines",
                 {"platform=xen-pv,kvm", "topology=inside", "machines=1,4", "own_guests=ask,rest", "guests=2",
                  "workload=tcp-rr", "direction=send", "link_us=5"},
                 ""},
        Together{"MachinesWithCards",
                 {"platform=xen-pv", "topology=card", "machines=2", "direction=send"},
                 "on topology card 'machines' can only be 1\n  leave it out, or take topology = \"inside\""},
        Together{"MachinesOfNobody",
                 {"platform=native", "topology=inside", "machines=2", "direction=send"},
                 "on platform native 'machines' can only be 1\n  leave it out, or take topology = \"inside\" "
                 "on one of xen-pv"},
        Together{"RestBesideNobody",
                 {"platform=xen-pv", "topology=inside", "own_guests=rest", "direction=send"},
                 "on machines 1 'own_guests' can only be ask\n  leave it out, or take machines = 2 or more"},
        Together{"MachinesThatAreAsked",
                 {"platform=xen-pv", "topology=inside", "machines=2", "direction=receive"},
                 "with several machines the system under test begins each exchange"},
        Together{"MachinesThatRoute",
                 {"platform=xen-pv", "topology=inside", "machines=2", "direction=send", "forwarding=route"},
                 "with several machines there is no choice of 'forwarding' yet"},
        Together{"MachinesOfManyGuests",
                 {"platform=xen-pv", "topology=inside", "machines=3,4", "guests=2,3", "direction=send"},
                 "3 machines with 3 guests each are more than 8 guests"},
        Together{"RoutesOfNobody",
                 {"platform=native", "forwarding=bridge,route"},
                 "on platform native 'forwarding' can only be bridge"},
        Together{"DriverDomainInside",
                 {"platform=xen-pv", "driver_domains=1", "topology=inside"},
                 "a driver domain has a card"},
        Together{"DriverDomainThatRoutes",
                 {"platform=xen-pv", "driver_domains=0,1", "forwarding=route"},
                 "no choice of 'forwarding'"},
        Together{"DriverDomainsInterrupts",
                 {"platform=xen-pv", "driver_domains=2", "driver_cpus=2", "driver_interrupts=swapped"},
                 "no choice of 'driver_interrupts'"},
        Together{"DriverDomainsOfManyCpus",
                 {"platform=xen-pv", "driver_domains=2", "driver_cpus=2,4"},
                 "driver domains have one CPU each"},
        Together{"OneDriverDomainOfTwoCards",
                 {"platform=xen-pv", "driver_domains=0,1", "cards=2"},
                 "a driver domain has one card"},
        Together{"TwoDriverDomainsOfTwoCards", {"platform=xen-pv", "driver_domains=0,2", "cards=2"}, ""},
        Together{"CompilesBehindADriverDomain",
                 {"platform=xen-pv", "driver_domains=1", "workload=compile"},
                 "more than a driver domain has memory for"},
        Together{"TooManyDomains",
                 {"platform=xen-pv", "driver_domains=0,2", "guests=6"},
                 "6 guests and 2 driver domains are more than 7 domains"},
        Together{"DriverDomainUnderNull",
                 {"platform=xen-pv", "driver_domains=1", "scheduler=null"},
                 "take another scheduler"},
        Together{"DriverDomainsOnTheHost",
                 {"machine=host", "platform=native", "topology=inside", "driver_domains=1"},
                 "'driver_domains' can only be 0"},
        Together{"CapOfCredit", {"platform=xen-pv", "guest_cap_percent=50", "scheduler=credit"}, ""},
        Together{"CapOfNull",
                 {"platform=xen-pv", "guest_cap_percent=50", "scheduler=null"},
                 "neither weights nor caps"},
        Together{"WeightsOfRtds",
                 {"platform=xen-pv", "guest_weights=halving", "scheduler=credit2,rtds"},
                 "neither weights nor caps"},
        Together{"Balloon", {"platform=xen-pv", "balloon_mib=0,112", "guest_memory_mib=192,256"}, ""},
        Together{
            "BalloonThatGives", {"platform=xen-pv", "balloon_mib=200"}, "a guest of 192 MiB cannot keep 200"},
        Together{"TinyBalloon", {"platform=xen-pv", "balloon_mib=96"}, "cannot live with 96 MiB"}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace vtax
