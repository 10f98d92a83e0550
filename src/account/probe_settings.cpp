#include <fmt/format.h>

#include <string_view>

#include "account/event_watch.h"
#include "account/ledger.h"

namespace vtax {
namespace {

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
  if (!map.has_hypervisor) return out;

  const auto context_switch = map.hypervisor->address_of("context_switch");
  if (!context_switch) return missing("Xen", "context_switch");
  out += fmt::format("switch {:x}\n", context_switch->value);
  const auto switched = map.hypervisor->address_of("sched_context_switched");
  if (!switched) return missing("Xen", "sched_context_switched");
  out += fmt::format("current {:x}\n", switched->value);
  return out;
}

std::string price_settings(const AddressMap& map, const LabPrices& prices) {
  constexpr int kProgram = 0, kKernel = 1, kHypervisor = 2;  // probe/settings.h
  std::string out =
      fmt::format("price {} {}\nprice {} {}\n", kProgram, prices.of("program"), kKernel, prices.of("kernel"));
  if (map.has_hypervisor && prices.of("hypervisor") > 0)
    out += fmt::format("price {} {}\n", kHypervisor, prices.of("hypervisor"));
  const EventWatch events(map);
  for (const std::string_view event : kLabPricedEvents)
    if (const std::uint64_t price = prices.of(event); price > 0) out += events.price_settings(event, price);
  return out;
}

Result<std::string> schedule_settings(const AddressMap& map) {
  const auto wake = map.hypervisor->address_of("vcpu_wake");
  if (!wake) return missing("Xen", "vcpu_wake");
  return fmt::format("wake {:x}\n", wake->value);
}

}  // namespace vtax
