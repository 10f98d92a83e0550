#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "probe/format.h"
#include "probe/sums.h"

namespace vtax {

using probe::Handler;

// What counts an event: each entry of a function, an argument of it, or its accesses to a device. An event
// counts what happens in all of its places. Without a function that is needed nothing is counted at all.
struct CountedAt {
  enum class What { entry, needed_entry, argument, power_of_argument, device_access };

  std::string_view image;  // "vmlinux", "xen", or a module's name
  // With alternatives, "new_name|old_name": the first that the image has. What a compiler made of a function
  // (`name.isra.0`, `name.constprop.0`) is that function.
  std::string_view function;
  What what = What::entry;
  int argument_register = 0;     // as in probe/sums.h
  std::string_view caller = {};  // only where this function calls; empty: everywhere
};

// One kind of event. To add one, add it to the table in event_table.cpp, or what the probe sees by itself to
// that in probe/events.h; and to docs/design/probe.md, which a test compares.
struct EventKind {
  static constexpr std::size_t kMostPlaces = 9;

  std::string_view name;  // the ledger's kind, and with spaces for underscores what reports show
  std::string_view meaning;
  Handler handler;
  std::optional<probe::Event> by_probe = std::nullopt;  // the probe itself knows when
  std::array<CountedAt, kMostPlaces> places = {};       // up to the first without a function
};

// The probe's own first, by their numbers.
[[nodiscard]] std::span<const EventKind> event_kinds();

}  // namespace vtax
