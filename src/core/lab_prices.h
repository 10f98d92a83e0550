#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// At which the lab's time passes: what a CPU takes for an instruction, by whose code it is, and for an event
// besides the instructions that it executes.
struct LabPrices {
  std::map<std::string, std::uint64_t> femtoseconds;  // by name: code's, or an event's as the ledger calls it

  [[nodiscard]] std::uint64_t of(std::string_view name) const {
    const auto found = femtoseconds.find(std::string(name));
    return found == femtoseconds.end() ? 0 : found->second;
  }
  bool operator==(const LabPrices&) const = default;
};

// Whose instructions have a price. Xen's own are the kernel's where they have none.
inline constexpr std::array<std::string_view, 3> kPricedCode{"kernel", "program", "hypervisor"};

// Events that a price may be for: those that the probe sees as they happen.
inline constexpr std::array<std::string_view, 12> kLabPricedEvents{
    "vm_exits",     "hypercalls",         "upcalls",          "interrupts", "page_table_switches",
    "system_calls", "page_faults",        "context_switches", "wake_ups",   "bytes_copied_user",
    "bytes_copied", "event_channel_sends"};

// "kernel:0.9 + program:0.5 + vm_exits:400", nanoseconds to a ten-thousandth; kernel and program must be
// there. Errors (usage): another form, a name that is none of the above or stands twice, a price of more than
// 1,000 ns for an instruction or a millisecond for an event.
[[nodiscard]] Result<LabPrices> read_lab_prices(std::string_view text);

// The same, in the order of the names above and without spaces.
[[nodiscard]] std::string text_of(const LabPrices& prices);

}  // namespace vtax
