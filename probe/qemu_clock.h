#pragma once

namespace vtax::probe {

// QEMU's own numbers.
inline constexpr int kVirtualClock = 1;  // QEMU_CLOCK_VIRTUAL
inline constexpr int kAllTimers = -1;    // QEMU_TIMER_ATTR_ALL

}  // namespace vtax::probe
