#include <fmt/format.h>

#include <string_view>

#include "account/event_watch.h"
#include "account/ledger.h"
#include "probe/format.h"

namespace vtax {
namespace {

using probe::Event;

// The exceptions that can leave a block early. Xen's stubs bear the exception's plain name up to 4.17 and
// `entry_XX` since.
constexpr std::string_view kHypervisorExceptions[] = {"page_fault",
                                                      "general_protection",
                                                      "invalid_op",
                                                      "device_not_available",
                                                      "debug",
                                                      "int3",
                                                      "divide_error",
                                                      "stack_segment",
                                                      "segment_not_present",
                                                      "alignment_check",
                                                      "simd_coprocessor_error",
                                                      "coprocessor_error",
                                                      "invalid_TSS",
                                                      "bounds",
                                                      "overflow",
                                                      "nmi",
                                                      "machine_check",
                                                      "double_fault",
                                                      "entry_PF",
                                                      "entry_GP",
                                                      "entry_UD",
                                                      "entry_NM",
                                                      "entry_DB",
                                                      "entry_BP",
                                                      "entry_DE",
                                                      "entry_SS",
                                                      "entry_NP",
                                                      "entry_AC",
                                                      "entry_XM",
                                                      "entry_MF",
                                                      "entry_TS",
                                                      "entry_NMI",
                                                      "entry_MC",
                                                      "entry_DF",
                                                      "entry_CP",
                                                      "entry_BR",
                                                      "entry_OF",
                                                      "early_page_fault"};

tl::unexpected<Error> missing(std::string_view image, std::string_view symbol) {
  return fail(
      {fmt::format("cannot count on this {}", image), fmt::format("it has no symbol '{}'", symbol),
       "use an image with its symbol table (CONFIG_KALLSYMS for Linux, Xen's own table is always there)",
       ExitCode::unavailable});
}

}  // namespace

Result<std::string> probe_settings(const AddressMap& map, Instructions limit) {
  std::string out;
  if (map.nested) out += "nested\n";
  if (limit.value != 0) out += fmt::format("limit {}\n", limit.value);
  const EventWatch events(map);
  if (const CountedAt* place = events.lacks(); place != nullptr)
    return missing(place->image == "xen" ? "Xen" : "kernel", place->function);
  out += events.settings();
  for (const Symbol& symbol : map.kernel->symbols()) {
    const std::string_view name = symbol.name;
    if (!symbol.is_text()) continue;
    if (name.starts_with("asm_sysvec_"))
      out += fmt::format("event {} {:x}\n", static_cast<unsigned>(Event::interrupts), symbol.address.value);
    if ((!map.has_hypervisor || map.guests_take_exceptions) && name.starts_with("asm_exc_"))
      out += fmt::format("exception {:x}\n", symbol.address.value);
  }
  if (!map.has_hypervisor) return out;

  const auto context_switch = map.hypervisor->address_of("context_switch");
  if (!context_switch) return missing("Xen", "context_switch");
  out += fmt::format("switch {:x}\n", context_switch->value);
  const auto switched = map.hypervisor->address_of("sched_context_switched");
  if (!switched) return missing("Xen", "sched_context_switched");
  out += fmt::format("current {:x}\n", switched->value);
  int exceptions = 0;
  for (const auto name : kHypervisorExceptions) {
    const auto address = map.hypervisor->address_of(name);
    if (!address) continue;
    out += fmt::format("exception {:x}\n", address->value);
    ++exceptions;
  }
  if (exceptions == 0) return missing("Xen", "page_fault");
  return out;
}

}  // namespace vtax
