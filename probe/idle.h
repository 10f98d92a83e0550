#pragma once

namespace vtax::probe {

// turns.cpp asks this on the CPUs' thread, with QEMU's big lock held, before that would sleep as every CPU is
// halted: whether it need not, as a timer is due now. `others_wait`: another thread waits for its turn, or
// has it.
using RestHook = bool (*)(bool others_wait);
inline constexpr const char* kRestHook = "vtax_rest_hook";

// Calls of these lead to idle.cpp, from all of QEMU.
struct IdleCalls {
  void (*notify_event)() = nullptr;     // qemu_notify_event
  void (*clock_notify)(int) = nullptr;  // qemu_clock_notify
};

// Before QEMU begins: takes QEMU's own functions, gives what is to be called in their place.
IdleCalls prepare_idle(const IdleCalls& own, void (*refuse)(const char* why));

// On the CPUs' thread, before each pass over the CPUs.
void note_pass();

}  // namespace vtax::probe
