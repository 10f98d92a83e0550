#include "account/event_table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace vtax {
namespace {

using probe::Event;

struct Said {
  Event event;
  Handler handler;
};

// Said here once more, by hand: a row that has moved, or another row's event, would bear its neighbour's
// name.
const std::map<std::string_view, Said> known_to_the_probe{
    {"hypercalls", {Event::hypercalls, Handler::hypervisor}},
    {"upcalls", {Event::upcalls, Handler::kernel}},
    {"interrupts", {Event::interrupts, Handler::hypervisor_if_any}},
    {"page_table_switches", {Event::page_table_switches, Handler::hypervisor_if_any}},
    {"system_calls", {Event::system_calls, Handler::kernel}},
    {"page_faults", {Event::page_faults, Handler::kernel}},
    {"context_switches", {Event::context_switches, Handler::hypervisor}},
    {"vm_exits", {Event::vm_exits, Handler::hypervisor}},
    {"vm_exits_interrupt", {Event::exits_interrupt, Handler::hypervisor}},
    {"vm_exits_interrupt_window", {Event::exits_interrupt_window, Handler::hypervisor}},
    {"vm_exits_exception", {Event::exits_exception, Handler::hypervisor}},
    {"vm_exits_register", {Event::exits_register, Handler::hypervisor}},
    {"vm_exits_cpuid", {Event::exits_cpuid, Handler::hypervisor}},
    {"vm_exits_halt", {Event::exits_halt, Handler::hypervisor}},
    {"vm_exits_pause", {Event::exits_pause, Handler::hypervisor}},
    {"vm_exits_io", {Event::exits_io, Handler::hypervisor}},
    {"vm_exits_msr", {Event::exits_msr, Handler::hypervisor}},
    {"vm_exits_hypercall", {Event::exits_hypercall, Handler::hypervisor}},
    {"vm_exits_nested_page_fault", {Event::exits_nested_page_fault, Handler::hypervisor}},
    {"vm_exits_other", {Event::exits_other, Handler::hypervisor}},
    {"profile_samples", {Event::profile_samples, Handler::kernel}}};

TEST(EventTable, EachOfTheProbesEventsHasItsNameAndItsLayer) {
  std::set<Event> seen;
  for (const EventKind& kind : event_kinds()) {
    if (!kind.by_probe) continue;
    const auto said = known_to_the_probe.find(kind.name);
    ASSERT_NE(said, known_to_the_probe.end()) << kind.name;
    EXPECT_EQ(*kind.by_probe, said->second.event) << kind.name;
    EXPECT_EQ(kind.handler, said->second.handler) << kind.name;
    seen.insert(*kind.by_probe);
  }
  EXPECT_EQ(seen.size(), probe::kEventKinds);
  EXPECT_EQ(known_to_the_probe.size(), probe::kEventKinds);
}

TEST(EventTable, NamesAreDistinctAndEachIsCountedSomewhere) {
  std::set<std::string_view> names;
  for (const EventKind& kind : event_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_TRUE(kind.by_probe || !kind.places.front().function.empty()) << kind.name;
  }
}

}  // namespace
}  // namespace vtax
