// Lets a machine's CPUs work at once in virtual time. Loaded into QEMU with LD_PRELOAD;
// docs/design/parallel-time.md has the bounds, the measurements, and the change that QEMU itself would need.
//
// Under -icount the CPUs share one thread and execute in turns, and QEMU's clock adds all turns up. Here each
// CPU has a time of its own (parallel_time.h).
//
// What is known of QEMU: before each turn it calls icount_prepare_for_run, behind it icount_process_data,
// before each pass over the CPUs icount_percpu_budget; it asks icount_get for the time, icount_round for how
// many instructions a time is. All calls of these lead here, and from here to the original.
//
//   VTAX_PARALLEL=ROUND:NS/INSTRUCTIONS    instructions of a round; what an instruction takes, as a ratio

#include <string.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "idle.h"
#include "link_start.h"
#include "parallel_time.h"
#include "qemu_functions.h"
#include "references.h"
#include "turn.h"

#define VTAX_EXPORT __attribute__((visibility("default")))

extern "C" {
VTAX_EXPORT vtax::probe::TurnHooks vtax_turn_hooks;
}

namespace {

using vtax::probe::find_in_qemu;
using vtax::probe::ParallelTime;
using vtax::probe::QemuTime;

constexpr int kRefused = 70;

QemuTime g_qemu;
std::int64_t (*g_percpu_budget)(int cpus);
std::int64_t (*g_round)(std::int64_t ns);
vtax::probe::IdleCalls g_idle_calls;

[[noreturn]] void refuse(const char* why) {
  constexpr char kWho[] = "vtax-parallel-time: this QEMU's CPUs cannot work at once: ";
  if (write(STDERR_FILENO, kWho, sizeof kWho - 1) < 0 || write(STDERR_FILENO, why, strlen(why)) < 0)
    _exit(kRefused);
  _exit(kRefused);
}

ParallelTime* g_time = nullptr;

void prepare_for_run(void* cpu, std::int64_t) {
  g_time->begin_turn(cpu);
}
void process_data(void* cpu) {
  g_time->end_turn(cpu);
}
std::int64_t percpu_budget(int) {
  vtax::probe::start_link();
  g_time->begin_pass();
  vtax::probe::note_pass();
  return INT64_MAX;
}
std::int64_t get() {
  return g_time->now();
}
std::int64_t round_up(std::int64_t ns) {
  return g_time->instructions_of(ns);
}

[[gnu::constructor]] void start() {
  const char* const settings = getenv("VTAX_PARALLEL");
  if (settings == nullptr) return;
  long round = 0, ns = 0, instructions = 0;
  if (sscanf(settings, "%ld:%ld/%ld", &round, &ns, &instructions) != 3 || round < 1 || ns < 1 ||
      instructions < 1)
    refuse("VTAX_PARALLEL is not ROUND:NS/INSTRUCTIONS\n");
  find_in_qemu(g_qemu.prepare_for_run, "icount_prepare_for_run", refuse);
  find_in_qemu(g_qemu.process_data, "icount_process_data", refuse);
  find_in_qemu(g_percpu_budget, "icount_percpu_budget", refuse);
  find_in_qemu(g_qemu.get, "icount_get", refuse);
  find_in_qemu(g_round, "icount_round", refuse);
  find_in_qemu(g_qemu.get_raw, "icount_get_raw", refuse);
  find_in_qemu(g_qemu.handle_deadline, "icount_handle_deadline", refuse);
  find_in_qemu(g_qemu.deadline, "qemu_clock_deadline_ns_all", refuse);
  find_in_qemu(g_qemu.is_idle, "cpu_thread_is_idle", refuse);
  find_in_qemu(g_qemu.get_cpu, "qemu_get_cpu", refuse);
  static ParallelTime time(g_qemu, vtax_turn_hooks, refuse, round, ns, instructions);
  g_time = &time;
  if (getenv("VTAX_LINK") != nullptr) find_in_qemu(g_qemu.has_work, "cpu_has_work", refuse);
  vtax::probe::prepare_link([] { return g_time->asleep(); }, refuse);
  find_in_qemu(g_idle_calls.notify_event, "qemu_notify_event", refuse);
  find_in_qemu(g_idle_calls.clock_notify, "qemu_clock_notify", refuse);
  const vtax::probe::IdleCalls idle = vtax::probe::prepare_idle(g_idle_calls, refuse);
  const auto pointer = [](auto* function) { return reinterpret_cast<const void*>(function); };
  vtax::probe::Redirection all[] = {
      {pointer(g_qemu.prepare_for_run), pointer(&prepare_for_run)},
      {pointer(g_qemu.process_data), pointer(&process_data)},
      {pointer(g_percpu_budget), pointer(&percpu_budget)},
      {pointer(g_round), pointer(&round_up)},
      {pointer(g_qemu.get), pointer(&get)},
      {pointer(g_idle_calls.notify_event), pointer(idle.notify_event)},
      {pointer(g_idle_calls.clock_notify), pointer(idle.clock_notify)},
  };
  if (!vtax::probe::redirect(all)) refuse("its code cannot be changed\n");
  if (all[0].found != 1 || all[1].found != 1 || all[2].found != 1)
    refuse("its CPUs' thread has another form\n");
  if (all[3].found < 1 || all[4].found < 3) refuse("its clock has another form\n");
  if (all[5].found < 2 || all[6].found < 2) refuse("its main loop has another form\n");
}

}  // namespace
