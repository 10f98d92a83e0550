#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "agent/driver_placement.h"
#include "agent/programs.h"
#include "agent/self_check.h"
#include "core/result.h"
#include "platform/fixed_work.h"
#include "platform/http_work.h"
#include "platform/platform.h"
#include "workload/order.h"

namespace vtax::agent {

// What the guests beside the first do: the same; each half of what the one before it does; or, the second,
// fourth, ..., the same in the other direction.
enum class Loads { equal, halving, opposed };

// Of guests: each a CPU of its own, all on the first one's, or all on the driver domain's.
enum class GuestCpu { own, together, driver };

enum class PlatformName { native, container, xen_pv, xen_pvh, xen_hvm, xen_hvm_pv, kvm, kvm_qemu };

// One trial, as the host side asks for it (docs/design/architecture.md, "The plan").
struct Plan {
  PlatformName platform = PlatformName::native;
  Topology topology = Topology::inside;
  bool system_initiates = true;  // direction "send"
  bool offloads = true;
  int guests = 1;  // systems under test at once
  Loads loads = Loads::equal;
  GuestCpu guest_cpu = GuestCpu::own;
  int softload_percent = 0;
  unsigned sampling_hz = 0;
  std::uint64_t system_window = 0, peer_window = 0;  // socket buffers, bytes; 0: the kernel's own
  std::uint64_t link_bits_per_second = 0;            // 0: as fast as the cards are
  DriverPlacement driver;
  Order window, warmup;               // of the first guest
  bool books = false;                 // Domain-0's and Xen's own CPU times stand in the result (dom0_books.h)
  bool watch = false;                 // the monitor of running computers stands in the result (watch_books.h)
  bool counters = false;              // the kernel's own counts stand in the result (kernel_counters.h)
  std::optional<FixedWork> local;     // in place of traffic: direction, offloads, window, warmup
  std::optional<HttpWork> http;       // in place of window and warmup
  std::uint64_t http_warmup = 0;      // requests
  std::chrono::microseconds delay{};  // slept before anything is set up: when timers tick in the window
  std::optional<SelfCheck> self_check;    // in place of everything between platform and time_limit
  std::optional<Programs> programs;       // likewise
  std::chrono::nanoseconds time_limit{};  // guest time, from reading the plan to the result
};

// The work of guest 1, 2, ...: its share of the window's or the warm-up's order, and who initiates.
[[nodiscard]] Order order_of_guest(const Order& first, Loads loads, int guest);
[[nodiscard]] bool guest_initiates(const Plan& plan, int guest);

[[nodiscard]] inline bool has_disk(const Plan& plan) {
  return plan.local && plan.local->kind == FixedWork::Kind::disk;
}

// Unknown keys, wrong types and impossible values are errors that name the key.
[[nodiscard]] Result<Plan> parse_plan(std::string_view json);

}  // namespace vtax::agent
