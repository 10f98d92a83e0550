// Lets a machine's CPUs work at once in virtual time. Loaded into QEMU with LD_PRELOAD;
// docs/design/parallel-time.md has the bounds, the measurements, and the change that QEMU itself would need.
//
// Under -icount the CPUs share one thread and execute in turns, and QEMU's clock adds all turns up. Here each
// CPU has a time of its own, which goes on by what it executes. Time passes in rounds: nobody executes past a
// round's end before everybody who has something to do has come that far. A round ends with the next timer at
// the latest.
//
// What is known of QEMU: before each turn it calls icount_prepare_for_run, behind it icount_process_data,
// before each pass over the CPUs icount_percpu_budget; it asks icount_get for the time, icount_round for how
// many instructions a time is. All calls of these lead here, and from here to the original.
//
//   VTAX_PARALLEL=ROUND:NS/INSTRUCTIONS    instructions of a round; what an instruction takes, as a ratio

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "references.h"
#include "turn.h"

#define VTAX_EXPORT __attribute__((visibility("default")))

extern "C" {
VTAX_EXPORT vtax::probe::TurnHooks vtax_turn_hooks;
}

namespace {

using vtax::probe::Turn;

constexpr int kMostCpus = 64;
constexpr int kVirtualClock = 1;  // QEMU_CLOCK_VIRTUAL
constexpr int kAllTimers = -1;    // QEMU_TIMER_ATTR_ALL
constexpr int kRefused = 70;

// QEMU's.
struct {
  void (*prepare_for_run)(void* cpu, std::int64_t budget);
  void (*process_data)(void* cpu);
  std::int64_t (*percpu_budget)(int cpus);
  std::int64_t (*get)();
  std::int64_t (*round)(std::int64_t ns);
  std::int64_t (*get_raw)();
  void (*handle_deadline)();
  std::int64_t (*deadline)(int clock, int attributes);
  bool (*is_idle)(void* cpu);
  void* (*get_cpu)(int index);
} g_qemu;

[[noreturn]] void refuse(const char* why) {
  constexpr char kWho[] = "vtax-parallel: this QEMU's CPUs cannot work at once: ";
  if (write(STDERR_FILENO, kWho, sizeof kWho - 1) < 0 || write(STDERR_FILENO, why, strlen(why)) < 0)
    _exit(kRefused);
  _exit(kRefused);
}

// A CPU's own time. `idle`: halted, and nothing has woken it since.
struct Cpu {
  void* qemu = nullptr;
  std::int64_t ns = 0;
  std::int64_t part = 0;
  bool idle = false;
};

class ParallelTime {
 public:
  ParallelTime(std::int64_t round_instructions, std::int64_t speed_ns, std::int64_t speed_instructions)
      : round_(std::max<std::int64_t>(1, round_instructions * speed_ns / speed_instructions)),
        longest_(vtax::probe::kLongestTurn * speed_ns / speed_instructions) {
    turn_.speed_ns = speed_ns;
    turn_.speed_instructions = speed_instructions;
  }

  // The machine's time: in a turn that of the CPU that has it, otherwise the round's begin; when all CPUs
  // are idle, that of the last one to become so and, from then on, what QEMU makes of it.
  [[nodiscard]] std::int64_t now() const {
    if (in_turn_) return turn_.at(static_cast<std::uint64_t>(g_qemu.get_raw() - turn_raw_));
    return g_qemu.get() + ahead_;
  }

  [[nodiscard]] std::int64_t instructions_of(std::int64_t ns) const {
    return (ns * turn_.speed_instructions + turn_.speed_ns - 1) / turn_.speed_ns;
  }

  // Before a pass over all CPUs.
  void begin_pass() {
    if (cpus_ == 0) find_cpus();
    if (all_idle_) {
      all_idle_ = false;
      begin_round(now());
    }
    note_woken(floor_);
    end_ = std::min(end_, floor_ + next_timer());
    while (awake() > 0 && !anyone_below_end()) begin_round(std::max(end_, floor_));
  }

  void begin_turn(void* qemu) {
    Cpu& cpu = cpu_of(qemu);
    turn_.cpu = static_cast<int>(&cpu - all_);
    const bool works = !cpu.idle && cpu.ns < end_;
    turn_.begin_ns = works ? cpu.ns : floor_;
    turn_.begin_part = works ? cpu.part : 0;
    // QEMU runs timers before a turn of no instructions: an idle CPU, which executes none, is offered one.
    std::int64_t budget = cpu.idle ? 1 : 0;
    if (works) budget = std::min(instructions_of(end_ - cpu.ns), vtax::probe::kLongestTurn);
    turn_raw_ = g_qemu.get_raw();
    in_turn_ = true;
    if (vtax_turn_hooks.begun != nullptr) vtax_turn_hooks.begun(turn_);
    g_qemu.prepare_for_run(qemu, budget);
  }

  void end_turn(void* qemu) {
    g_qemu.process_data(qemu);
    turn_.executed = static_cast<std::uint64_t>(g_qemu.get_raw() - turn_raw_);
    in_turn_ = false;
    Cpu& cpu = all_[turn_.cpu];
    if (turn_.executed > 0) {
      const std::int64_t parts = cpu.part + static_cast<std::int64_t>(turn_.executed) * turn_.speed_ns;
      cpu.ns += parts / turn_.speed_instructions;
      cpu.part = parts % turn_.speed_instructions;
    }
    cpu.idle = g_qemu.is_idle(cpu.qemu);
    note_woken(cpu.ns);
    if (vtax_turn_hooks.ended != nullptr) vtax_turn_hooks.ended(turn_);
    all_idle_ = std::all_of(all_, all_ + cpus_, [](const Cpu& one) { return one.idle; });
    show(all_idle_ ? latest() : floor_);
  }

 private:
  void find_cpus() {
    const std::int64_t begin = now();
    while (cpus_ < kMostCpus) {
      void* const qemu = g_qemu.get_cpu(cpus_);
      if (qemu == nullptr) break;
      all_[cpus_++] = {qemu, begin, 0, g_qemu.is_idle(qemu)};
    }
    if (cpus_ == 0 || cpus_ == kMostCpus) refuse("their number is not known\n");
    begin_round(begin);
  }

  Cpu& cpu_of(void* qemu) {
    Cpu* const found =
        std::find_if(all_, all_ + cpus_, [&](const Cpu& cpu) { return cpu.qemu == qemu; });
    if (found == all_ + cpus_) refuse("a CPU was added while the machine ran\n");
    return *found;
  }

  // Whoever was idle and is no longer begins at `ns`: the time at the end of the turn that woke it, which an
  // interrupt to another CPU ends, or of the timer that did.
  void note_woken(std::int64_t ns) {
    for (int i = 0; i < cpus_; ++i) {
      Cpu& cpu = all_[i];
      if (!cpu.idle || g_qemu.is_idle(cpu.qemu)) continue;
      cpu.idle = false;
      if (cpu.ns < ns) cpu.ns = ns, cpu.part = 0;
      end_ = std::min(end_, std::max(cpu.ns, floor_) + round_);
    }
  }

  [[nodiscard]] bool anyone_below_end() const {
    return std::any_of(all_, all_ + cpus_, [&](const Cpu& cpu) { return !cpu.idle && cpu.ns < end_; });
  }

  [[nodiscard]] int awake() const {
    return static_cast<int>(std::count_if(all_, all_ + cpus_, [](const Cpu& cpu) { return !cpu.idle; }));
  }

  [[nodiscard]] std::int64_t latest() const {
    std::int64_t ns = floor_;
    for (int i = 0; i < cpus_; ++i) ns = std::max(ns, all_[i].ns);
    return ns;
  }

  // From the time that is shown; far away where there is none.
  [[nodiscard]] std::int64_t next_timer() const {
    const std::int64_t ns = g_qemu.deadline(kVirtualClock, kAllTimers);
    return ns < 0 ? INT32_MAX : std::min<std::int64_t>(ns, INT32_MAX);
  }

  void begin_round(std::int64_t ns) {
    floor_ = ns;
    show(ns);
    g_qemu.handle_deadline();  // the timers that are due
    end_ = INT64_MAX;
    note_woken(ns);
    // Nothing that a CPU does which is awake alone can reach another one but by waking it, which ends its turn.
    const std::int64_t length = awake() > 1 ? round_ : longest_;
    end_ = std::min({end_, ns + length, ns + std::max<std::int64_t>(next_timer(), 1)});
  }

  void show(std::int64_t ns) { ahead_ = ns - g_qemu.get(); }

  const std::int64_t round_, longest_;  // ns
  Cpu all_[kMostCpus];
  int cpus_ = 0;
  std::int64_t floor_ = 0, end_ = 0;  // of the round
  std::int64_t ahead_ = 0;            // of QEMU's own clock, outside a turn
  bool all_idle_ = false;
  bool in_turn_ = false;
  Turn turn_;
  std::int64_t turn_raw_ = 0;  // QEMU's count of instructions when it began
};

ParallelTime* g_time = nullptr;

void prepare_for_run(void* cpu, std::int64_t) {
  g_time->begin_turn(cpu);
}
void process_data(void* cpu) {
  g_time->end_turn(cpu);
}
std::int64_t percpu_budget(int) {
  g_time->begin_pass();
  return INT64_MAX;
}
std::int64_t get() {
  return g_time->now();
}
std::int64_t round_up(std::int64_t ns) {
  return g_time->instructions_of(ns);
}

template <class Function>
void find(Function*& function, const char* name) {
  function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  if (function == nullptr) refuse("it does not export the functions that this needs\n");
}

[[gnu::constructor]] void start() {
  const char* const settings = getenv("VTAX_PARALLEL");
  if (settings == nullptr) return;
  long round = 0, ns = 0, instructions = 0;
  if (sscanf(settings, "%ld:%ld/%ld", &round, &ns, &instructions) != 3 || round < 1 || ns < 1 ||
      instructions < 1)
    refuse("VTAX_PARALLEL is not ROUND:NS/INSTRUCTIONS\n");
  find(g_qemu.prepare_for_run, "icount_prepare_for_run");
  find(g_qemu.process_data, "icount_process_data");
  find(g_qemu.percpu_budget, "icount_percpu_budget");
  find(g_qemu.get, "icount_get");
  find(g_qemu.round, "icount_round");
  find(g_qemu.get_raw, "icount_get_raw");
  find(g_qemu.handle_deadline, "icount_handle_deadline");
  find(g_qemu.deadline, "qemu_clock_deadline_ns_all");
  find(g_qemu.is_idle, "cpu_thread_is_idle");
  find(g_qemu.get_cpu, "qemu_get_cpu");
  static ParallelTime time(round, ns, instructions);
  g_time = &time;
  const auto pointer = [](auto* function) { return reinterpret_cast<const void*>(function); };
  vtax::probe::Redirection all[] = {
      {pointer(g_qemu.prepare_for_run), pointer(&prepare_for_run)},
      {pointer(g_qemu.process_data), pointer(&process_data)},
      {pointer(g_qemu.percpu_budget), pointer(&percpu_budget)},
      {pointer(g_qemu.round), pointer(&round_up)},
      {pointer(g_qemu.get), pointer(&get)},
  };
  if (!vtax::probe::redirect(all)) refuse("its code cannot be changed\n");
  if (all[0].found != 1 || all[1].found != 1 || all[2].found != 1)
    refuse("its CPUs' thread has another form\n");
  if (all[3].found < 1 || all[4].found < 2) refuse("its clock has another form\n");
}

}  // namespace
