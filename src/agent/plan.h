#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "agent/programs.h"
#include "agent/self_check.h"
#include "core/result.h"
#include "platform/platform.h"
#include "workload/order.h"

namespace vtax::agent {

enum class PlatformName { native, container, xen_pv, xen_pvh, kvm, kvm_qemu };

// One trial, as the host side asks for it (docs/design/architecture.md, "The plan").
struct Plan {
  PlatformName platform = PlatformName::native;
  Topology topology = Topology::inside;
  bool system_initiates = true;  // direction "send"
  bool offloads = true;
  Order window, warmup;
  std::chrono::microseconds delay{};      // slept before anything is set up: when timers tick in the window
  std::optional<SelfCheck> self_check;    // in place of everything between platform and time_limit
  std::optional<Programs> programs;       // likewise
  std::chrono::nanoseconds time_limit{};  // guest time, from reading the plan to the result
};

// Unknown keys, wrong types and impossible values are errors that name the key.
[[nodiscard]] Result<Plan> parse_plan(std::string_view json);

}  // namespace vtax::agent
