// Lets the CPUs' thread go on by itself when every CPU is halted.
//
// Under -icount QEMU's main loop then moves the virtual clock to the next timer and calls the CPUs' thread,
// which runs it: two threads take turns for each sleep of the machine, however short. And whoever runs a
// timer of the virtual clock wakes the loops of all other threads, which have none. Here the CPUs' thread
// moves the clock, by the main loop's own function, and wakes nobody; the order of what happens to the
// machine stays the same. The main loop has its turn when it has something to do. Of the AioContexts only
// those of disks with a limit would have timers of the virtual clock; the lab's machines have no disks.
//
// What is known of QEMU: behind a pass over CPUs that are all halted, their thread calls qemu_notify_event so
// that the main loop calls icount_start_warp_timer; this moves the clock and then calls qemu_clock_notify,
// which gives the CPUs an errand (qemu_timer_notify_cb) and wakes all AioContexts.

#include "idle.h"

#include <dlfcn.h>

#include <cstdint>
#include <utility>

#include "qemu_clock.h"
#include "qemu_functions.h"

namespace {

using vtax::probe::kVirtualClock;
using vtax::probe::RestHook;

struct QemuIdle {
  void (*timer_notify)(void*, int) = nullptr;                          // qemu_timer_notify_cb
  void (*start_warp)() = nullptr;                                      // icount_start_warp_timer
  void (*run_on_cpu)(void*, void (*)(void*, void*), void*) = nullptr;  // async_run_on_cpu
  void* (*get_cpu)(int) = nullptr;                                     // qemu_get_cpu
  bool (*all_idle)() = nullptr;                                        // all_cpu_threads_idle
  void* (*main_context)() = nullptr;                                   // qemu_get_aio_context
  std::int64_t (*until_work)(void*) = nullptr;                         // aio_compute_timeout: ns
} g_idle;
vtax::probe::IdleCalls g_calls;  // QEMU's own

// Of the CPUs' thread.
bool g_has_hook = false;
bool g_owes_call = false;  // of the main loop
[[gnu::tls_model("initial-exec")]] thread_local bool t_in_pass = false;
[[gnu::tls_model("initial-exec")]] thread_local bool t_moves_clock = false;
bool g_has_moved = false;

void notify_event() {
  if (!t_in_pass || !g_idle.all_idle()) return g_calls.notify_event();
  t_in_pass = false;
  g_owes_call = true;
}

void clock_notify(int clock) {
  if (clock != kVirtualClock) return g_calls.clock_notify(clock);
  if (!t_moves_clock) return g_idle.timer_notify(nullptr, clock);
  g_has_moved = true;
  g_idle.run_on_cpu(
      g_idle.get_cpu(0), [](void*, void*) {}, nullptr);
}

// The main loop may have nothing to do but to move the clock.
bool move_clock() {
  if (g_idle.until_work(g_idle.main_context()) == 0) return false;
  g_has_moved = false;
  t_moves_clock = true;
  g_idle.start_warp();
  t_moves_clock = false;
  return g_has_moved;
}

bool need_not_rest(bool others_wait) {
  if (!others_wait && move_clock()) return true;
  if (std::exchange(g_owes_call, false)) g_calls.notify_event();
  return false;
}

}  // namespace

namespace vtax::probe {

IdleCalls prepare_idle(const IdleCalls& own, void (*refuse)(const char* why)) {
  find_in_qemu(g_idle.timer_notify, "qemu_timer_notify_cb", refuse);
  find_in_qemu(g_idle.start_warp, "icount_start_warp_timer", refuse);
  find_in_qemu(g_idle.run_on_cpu, "async_run_on_cpu", refuse);
  find_in_qemu(g_idle.get_cpu, "qemu_get_cpu", refuse);
  find_in_qemu(g_idle.all_idle, "all_cpu_threads_idle", refuse);
  find_in_qemu(g_idle.main_context, "qemu_get_aio_context", refuse);
  find_in_qemu(g_idle.until_work, "aio_compute_timeout", refuse);
  g_calls = own;
  // Without turns nobody asks, and the main loop is called as ever.
  auto* const hook = static_cast<RestHook*>(dlsym(RTLD_DEFAULT, kRestHook));
  if (hook != nullptr) *hook = need_not_rest;
  g_has_hook = hook != nullptr;
  return {notify_event, clock_notify};
}

void note_pass() {
  t_in_pass = g_has_hook;
}

}  // namespace vtax::probe
