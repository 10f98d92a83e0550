#include <fmt/format.h>

#include <string_view>

#include "account/ledger.h"
#include "probe/format.h"

namespace vtax {
namespace {

using probe::Event;

struct Watch {
  std::string_view symbol;
  Event event;
  bool required;
};

// Linux 6.x, arch/x86/entry/entry_64.S and arch/x86/xen/xen-asm.S. A PV guest's exceptions pass through
// xen_asm_* stubs into the same asm_* entries as on bare hardware, so only the latter are counted; system
// calls do not, and a kernel uses only one of the two.
constexpr Watch kKernelEvents[] = {
    {"asm_exc_page_fault", Event::page_faults, true},
    {"entry_SYSCALL_64", Event::system_calls, true},
    {"xen_entry_SYSCALL_64", Event::system_calls, false},
    {"asm_common_interrupt", Event::interrupts, true},
    {"asm_exc_xen_hypervisor_callback", Event::upcalls, false},
    {"perf_swevent_hrtimer", Event::profile_samples, false},  // kernel/events/core.c
};

// Xen 4.17, arch/x86/x86_64/entry.S.
constexpr Watch kHypervisorEvents[] = {
    {"pv_hypercall", Event::hypercalls, true},
    {"hvm_hypercall", Event::hypercalls, false},
    {"do_IRQ", Event::interrupts, true},
};

tl::unexpected<Error> missing(std::string_view image, std::string_view symbol) {
  return fail(
      {fmt::format("cannot count on this {}", image), fmt::format("it has no symbol '{}'", symbol),
       "use an image with its symbol table (CONFIG_KALLSYMS for Linux, Xen's own table is always there)",
       ExitCode::unavailable});
}

Result<> watch(std::string& out, const SymbolTable& table, std::span<const Watch> watches,
               std::string_view image) {
  for (const Watch& watch : watches) {
    const auto address = table.address_of(watch.symbol);
    if (!address && watch.required) return missing(image, watch.symbol);
    if (address) out += fmt::format("event {} {:x}\n", static_cast<unsigned>(watch.event), address->value);
  }
  return {};
}

}  // namespace

Result<std::string> probe_settings(const AddressMap& map, Instructions limit) {
  std::string out;
  if (map.nested) out += "nested\n";
  if (limit.value != 0) out += fmt::format("limit {}\n", limit.value);
  if (auto done = watch(out, *map.kernel, kKernelEvents, "kernel"); !done) return fail(done.error());
  for (const Symbol& symbol : map.kernel->symbols()) {
    const std::string_view name = symbol.name;
    if (!symbol.is_text()) continue;
    if (name.starts_with("asm_sysvec_"))
      out += fmt::format("event {} {:x}\n", static_cast<unsigned>(Event::interrupts), symbol.address.value);
  }
  if (!map.has_hypervisor) return out;

  if (auto done = watch(out, *map.hypervisor, kHypervisorEvents, "Xen"); !done) return fail(done.error());
  const auto context_switch = map.hypervisor->address_of("context_switch");
  if (!context_switch) return missing("Xen", "context_switch");
  out += fmt::format("switch {:x}\n", context_switch->value);
  const auto switched = map.hypervisor->address_of("sched_context_switched");
  if (!switched) return missing("Xen", "sched_context_switched");
  out += fmt::format("current {:x}\n", switched->value);
  return out;
}

}  // namespace vtax
