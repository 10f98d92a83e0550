#pragma once

// Which CPU executes when, and what time it is for it: docs/design/parallel-time.md.
//
// Each CPU has a time of its own, which goes on by what it executes. Time passes in rounds: nobody executes
// past a round's end before everybody who has something to do has come that far. A round ends with the next
// timer at the latest.
//
// Bounds. Two CPUs that are awake differ by a round at most (and an instruction). A timer acts when the
// machine's time has come to it: a CPU may be ahead of it by a round. An interrupt from one CPU to another
// acts at once on one that slept, which begins at the time at which it was sent; on one that is awake when
// its next turn begins, a round sooner or later than it was sent at most.
//
// At prices (TurnHooks::has_prices) a turn's instructions take what those of the CPU's turn before took, so
// that dear code executes less of it in a round. What the turn then took more passes at its end; what it took
// less, the CPU's next turns make good by being quicker.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "qemu_clock.h"
#include "turn.h"

namespace vtax::probe {

// What is asked of QEMU. All of it is exported by QEMU under the names that stand behind.
struct QemuTime {
  void (*prepare_for_run)(void* cpu, std::int64_t budget) = nullptr;  // icount_prepare_for_run
  void (*process_data)(void* cpu) = nullptr;                          // icount_process_data
  std::int64_t (*get)() = nullptr;                                    // icount_get: ns
  std::int64_t (*get_raw)() = nullptr;                                // icount_get_raw: instructions
  void (*handle_deadline)() = nullptr;                                // icount_handle_deadline
  std::int64_t (*deadline)(int clock, int attributes) = nullptr;      // qemu_clock_deadline_ns_all
  bool (*is_idle)(void* cpu) = nullptr;                               // cpu_thread_is_idle
  void* (*get_cpu)(int index) = nullptr;                              // qemu_get_cpu
  bool (*has_work)(void* cpu) = nullptr;  // cpu_has_work; of joined machines alone
};

// A CPU's own time. `idle`: halted, and nothing has woken it since.
struct ParallelCpu {
  void* qemu = nullptr;
  std::int64_t ns = 0;
  std::int64_t part = 0;
  bool idle = false;
  // At prices, in femtoseconds: what an instruction took of late, and what has passed too much (negative).
  std::int64_t instruction_fs = 0, owed_fs = 0;
};

class ParallelTime {
 public:
  // `refuse` does not return.
  ParallelTime(const QemuTime& qemu, const TurnHooks& hooks, void (*refuse)(const char* why),
               std::int64_t round_instructions, std::int64_t speed_ns, std::int64_t speed_instructions)
      : qemu_(qemu),
        hooks_(hooks),
        refuse_(refuse),
        round_(std::max<std::int64_t>(1, round_instructions * speed_ns / speed_instructions)),
        longest_(kLongestTurn * speed_ns / speed_instructions) {
    turn_.speed_ns = speed_ns;
    turn_.speed_instructions = speed_instructions;
  }

  // The machine's time: in a turn that of the CPU that has it, otherwise the round's begin; when all CPUs
  // are idle, that of the last one to become so and, from then on, what QEMU makes of it.
  [[nodiscard]] std::int64_t now() const {
    if (in_turn_) return turn_.at(static_cast<std::uint64_t>(qemu_.get_raw() - turn_raw_));
    return qemu_.get() + ahead_;
  }

  [[nodiscard]] std::int64_t instructions_of(std::int64_t ns) const {
    return (ns * turn_.speed_instructions + turn_.speed_ns - 1) / turn_.speed_ns;
  }

  // Every CPU is halted, and nothing has woken one since. Who moves the clock when all are idle (idle.cpp, or
  // QEMU's main loop) gives the CPUs' thread an errand first; for QEMU a CPU that has one is not idle.
  [[nodiscard]] bool asleep() const {
    return cpus_ > 0 && std::all_of(all_, all_ + cpus_, [this](const ParallelCpu& cpu) {
             return cpu.idle ? !qemu_.has_work(cpu.qemu) : qemu_.is_idle(cpu.qemu);
           });
  }

  // Before a pass over all CPUs.
  void begin_pass() {
    if (cpus_ == 0) find_cpus();
    // Not only behind a turn: a pass that a timer's errand cuts short has none, and time goes on all the
    // same.
    if (awake() == 0) begin_round(now());
    note_woken(floor_);
    end_ = std::min(end_, floor_ + next_timer());
    while (awake() > 0 && !anyone_below_end()) begin_round(std::max(end_, floor_));
  }

  void begin_turn(void* qemu) {
    ParallelCpu& cpu = cpu_of(qemu);
    turn_.cpu = static_cast<int>(&cpu - all_);
    const bool works = !cpu.idle && cpu.ns < end_;
    turn_.begin_ns = works ? cpu.ns : floor_;
    turn_.begin_part = works ? cpu.part : 0;
    // QEMU runs timers before a turn of no instructions: an idle CPU, which executes none, is offered one.
    std::int64_t budget = cpu.idle ? 1 : 0;
    if (hooks_.has_prices) turn_.speed_ns = speed_of(cpu);
    if (works) budget = std::min(instructions_of(end_ - cpu.ns), kLongestTurn);
    turn_raw_ = qemu_.get_raw();
    in_turn_ = true;
    if (hooks_.begun != nullptr) hooks_.begun(turn_);
    qemu_.prepare_for_run(qemu, budget);
  }

  void end_turn(void* qemu) {
    qemu_.process_data(qemu);
    turn_.executed = static_cast<std::uint64_t>(qemu_.get_raw() - turn_raw_);
    in_turn_ = false;
    ParallelCpu& cpu = all_[turn_.cpu];
    const std::int64_t cost = hooks_.ended != nullptr ? hooks_.ended(turn_) : 0;
    if (turn_.executed > 0) pass_time(cpu, cost);
    cpu.idle = qemu_.is_idle(cpu.qemu);
    note_woken(cpu.ns);
    show(awake() == 0 ? latest() : floor_);
  }

 private:
  void pass_time(ParallelCpu& cpu, std::int64_t cost_fs) {
    const auto executed = static_cast<std::int64_t>(turn_.executed);
    std::int64_t parts = cpu.part + executed * turn_.speed_ns;
    if (hooks_.has_prices) {
      cpu.owed_fs += cost_fs - executed * turn_.speed_ns;
      cpu.instruction_fs = std::max<std::int64_t>(1, cost_fs / executed);
      if (cpu.owed_fs > 0) parts += std::exchange(cpu.owed_fs, 0);
    }
    cpu.ns += parts / turn_.speed_instructions;
    cpu.part = parts % turn_.speed_instructions;
  }

  // What an instruction of the next turn takes: at least half of what it took, so that time goes on.
  [[nodiscard]] std::int64_t speed_of(const ParallelCpu& cpu) const {
    const std::int64_t in_round = std::max<std::int64_t>(1, round_ * kFemtoseconds / cpu.instruction_fs);
    return std::max<std::int64_t>({1, cpu.instruction_fs / 2, cpu.instruction_fs + cpu.owed_fs / in_round});
  }

  void find_cpus() {
    const std::int64_t begin = now();
    if (hooks_.has_prices) {
      turn_.speed_ns = std::max<std::int64_t>(1, turn_.speed_ns * kFemtoseconds / turn_.speed_instructions);
      turn_.speed_instructions = kFemtoseconds;
    }
    while (cpus_ < kMostCpus) {
      void* const qemu = qemu_.get_cpu(cpus_);
      if (qemu == nullptr) break;
      all_[cpus_++] = {qemu, begin, 0, qemu_.is_idle(qemu), turn_.speed_ns, 0};
    }
    if (cpus_ == 0 || cpus_ == kMostCpus) refuse_("their number is not known\n");
    begin_round(begin);
  }

  ParallelCpu& cpu_of(void* qemu) {
    ParallelCpu* const found =
        std::find_if(all_, all_ + cpus_, [&](const ParallelCpu& cpu) { return cpu.qemu == qemu; });
    if (found == all_ + cpus_) refuse_("a CPU was added while the machine ran\n");
    return *found;
  }

  // Whoever was idle and is no longer begins at `ns`: the time at the end of the turn that woke it, which an
  // interrupt to another CPU ends, or of the timer that did.
  void note_woken(std::int64_t ns) {
    for (int i = 0; i < cpus_; ++i) {
      ParallelCpu& cpu = all_[i];
      if (!cpu.idle || qemu_.is_idle(cpu.qemu)) continue;
      cpu.idle = false;
      if (cpu.ns < ns) cpu.ns = ns, cpu.part = 0;
      end_ = std::min(end_, std::max(cpu.ns, floor_) + round_);
    }
  }

  [[nodiscard]] bool anyone_below_end() const {
    return std::any_of(all_, all_ + cpus_,
                       [&](const ParallelCpu& cpu) { return !cpu.idle && cpu.ns < end_; });
  }

  [[nodiscard]] int awake() const {
    return static_cast<int>(
        std::count_if(all_, all_ + cpus_, [](const ParallelCpu& cpu) { return !cpu.idle; }));
  }

  [[nodiscard]] std::int64_t latest() const {
    std::int64_t ns = floor_;
    for (int i = 0; i < cpus_; ++i) ns = std::max(ns, all_[i].ns);
    return ns;
  }

  // From the time that is shown; far away where there is none.
  [[nodiscard]] std::int64_t next_timer() const {
    const std::int64_t ns = qemu_.deadline(kVirtualClock, kAllTimers);
    return ns < 0 ? INT32_MAX : std::min<std::int64_t>(ns, INT32_MAX);
  }

  void begin_round(std::int64_t ns) {
    floor_ = ns;
    show(ns);
    qemu_.handle_deadline();  // the timers that are due
    end_ = INT64_MAX;
    note_woken(ns);
    // Nothing that a CPU does which is awake alone can reach another one but by waking it, which ends its
    // turn.
    const std::int64_t length = awake() > 1 ? round_ : longest_;
    end_ = std::min({end_, ns + length, ns + std::max<std::int64_t>(next_timer(), 1)});
  }

  void show(std::int64_t ns) { ahead_ = ns - qemu_.get(); }

  const QemuTime& qemu_;
  const TurnHooks& hooks_;
  void (*const refuse_)(const char* why);
  const std::int64_t round_, longest_;  // ns
  static constexpr int kMostCpus = 64;

  ParallelCpu all_[kMostCpus];
  int cpus_ = 0;
  std::int64_t floor_ = 0, end_ = 0;  // of the round
  std::int64_t ahead_ = 0;            // of QEMU's own clock, outside a turn
  bool in_turn_ = false;
  Turn turn_;
  std::int64_t turn_raw_ = 0;  // QEMU's count of instructions when it began
};

}  // namespace vtax::probe
