#pragma once

// What the probe counts by itself, a row each. To add one, add its row behind the others and count it where
// it happens (probe.cpp, vm_exit.h), or say in src/account/event_table.cpp which function's entry it is.

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace vtax::probe {

// In whose code an event happens, and so in which layer of the domain it stands.
enum class Handler {
  kernel,
  guests_kernel,  // only of a machine with a hypervisor of its own
  hypervisor,
  hypervisor_if_any,  // the kernel's on bare hardware
};

// Its name here, the ledger's kind, where it is handled, what it means. Its number is its place.
#define VTAX_PROBE_EVENTS(ROW)                                                            \
  ROW(hypercalls, "hypercalls", hypervisor, "calls of the hypervisor by a guest")         \
  ROW(upcalls, "upcalls", kernel, "a guest's entries for what the hypervisor tells it")   \
  ROW(interrupts, "interrupts", hypervisor_if_any, "interrupts taken")                    \
  ROW(page_table_switches, "page_table_switches", hypervisor_if_any, "writes of CR3")     \
  ROW(system_calls, "system_calls", kernel, "calls of the kernel by a program")           \
  ROW(page_faults, "page_faults", kernel, "page faults that a kernel handles")            \
  ROW(context_switches, "context_switches", hypervisor,                                   \
      "the hypervisor's switches from one virtual CPU to another")                        \
  /* The exits' reasons are all absent where the emulator cannot be asked. */             \
  ROW(vm_exits, "vm_exits", hypervisor,                                                   \
      "exits of a guest on the CPU's virtualisation; the next ones add up to it")         \
  ROW(exits_interrupt, "vm_exits_interrupt", hypervisor, "for an interrupt")              \
  ROW(exits_interrupt_window, "vm_exits_interrupt_window", hypervisor,                    \
      "as the guest can take an interrupt again")                                         \
  ROW(exits_exception, "vm_exits_exception", hypervisor, "for an exception")              \
  ROW(exits_register, "vm_exits_register", hypervisor, "for a control or debug register") \
  ROW(exits_cpuid, "vm_exits_cpuid", hypervisor, "for CPUID")                             \
  ROW(exits_halt, "vm_exits_halt", hypervisor, "for HLT")                                 \
  ROW(exits_pause, "vm_exits_pause", hypervisor, "for PAUSE")                             \
  ROW(exits_io, "vm_exits_io", hypervisor, "for a port")                                  \
  ROW(exits_msr, "vm_exits_msr", hypervisor, "for a model-specific register")             \
  ROW(exits_hypercall, "vm_exits_hypercall", hypervisor, "for VMMCALL")                   \
  ROW(exits_nested_page_fault, "vm_exits_nested_page_fault", hypervisor,                  \
      "for a page that the nested tables lack, devices' registers among them")            \
  ROW(exits_other, "vm_exits_other", hypervisor, "for all else")                          \
  ROW(profile_samples, "profile_samples", kernel, "a kernel's profiler looks who executes")

#define VTAX_EVENT_NAME(name, kind, handler, meaning) name,
enum class Event : std::uint32_t { VTAX_PROBE_EVENTS(VTAX_EVENT_NAME) };
#undef VTAX_EVENT_NAME

struct EventFacts {
  const char* kind;
  const char* meaning;
  Handler handler;
};

#define VTAX_EVENT_FACTS(name, kind, handler, meaning) {kind, meaning, Handler::handler},
inline constexpr EventFacts kEvents[] = {VTAX_PROBE_EVENTS(VTAX_EVENT_FACTS)};  // by number
#undef VTAX_EVENT_FACTS

inline constexpr std::uint32_t kEventKinds = std::size(kEvents);

}  // namespace vtax::probe
