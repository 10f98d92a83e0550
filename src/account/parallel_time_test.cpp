#include "probe/parallel_time.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace vtax::probe {
namespace {

// A stand-in for QEMU's loop over its CPUs: accel/tcg/tcg-accel-ops-rr.c.
struct Machine {
  struct Step {
    std::int64_t at;             // instructions that the CPU has executed
    std::function<void()> does;  // its turn ends behind it
  };
  struct Cpu {
    std::int64_t executed = 0;
    bool halted = false;
    std::deque<Step> steps;  // in the order of `at`; behind the last one it runs for ever
    std::vector<std::int64_t> turns_begun_ns;
  };
  struct Timer {
    std::int64_t due_ns;
    std::function<void()> does;
  };

  std::vector<Cpu> cpus;
  std::vector<Timer> timers;
  std::int64_t raw = 0, slept_ns = 0, budget = 0;
  ParallelTime* time = nullptr;

  std::int64_t deadline() const {
    std::int64_t least = -1;
    for (const Timer& timer : timers) {
      const std::int64_t ns = std::max<std::int64_t>(0, timer.due_ns - time->now());
      if (least < 0 || ns < least) least = ns;
    }
    return least;
  }
  void run_timers() {
    for (std::size_t i = 0; i < timers.size();) {
      if (timers[i].due_ns > time->now()) {
        ++i;
        continue;
      }
      const Timer due = timers[i];
      timers.erase(timers.begin() + static_cast<std::ptrdiff_t>(i));
      due.does();
    }
  }
  void execute(Cpu& cpu) {
    while (budget > 0 && !cpu.halted) {
      const std::int64_t until =
          cpu.steps.empty() ? std::numeric_limits<std::int64_t>::max() : cpu.steps.front().at - cpu.executed;
      const std::int64_t now = std::min(budget, until);
      cpu.executed += now;
      raw += now;
      budget -= now;
      if (now != until) return;
      const Step step = cpu.steps.front();
      cpu.steps.pop_front();
      step.does();
      return;
    }
  }
  bool all_halted() const {
    return std::all_of(cpus.begin(), cpus.end(), [](const Cpu& cpu) { return cpu.halted; });
  }
  // Until `done`, or until nothing can happen any more.
  void run(const std::function<bool()>& done) {
    for (int passes = 0; passes < 1'000'000 && !done(); ++passes) {
      if (all_halted()) {
        if (timers.empty()) return;
        slept_ns += deadline();
        run_timers();
        continue;
      }
      time->begin_pass();
      for (Cpu& cpu : cpus) {
        time->begin_turn(&cpu);
        if (!cpu.halted && budget > 0) cpu.turns_begun_ns.push_back(time->now());
        execute(cpu);
        time->end_turn(&cpu);
      }
    }
  }
};

Machine* g_machine = nullptr;

class ParallelTimeTest : public testing::Test {
 protected:
  static constexpr std::int64_t kRound = 2000, kRoundNs = 4000;

  void start(std::size_t cpus, std::int64_t speed_ns = 2, std::int64_t speed_instructions = 1) {
    machine_.cpus.resize(cpus);
    g_machine = &machine_;
    qemu_.prepare_for_run = [](void*, std::int64_t budget) {
      const std::int64_t limit = g_machine->deadline();
      g_machine->budget = limit < 0 ? budget : std::min(budget, g_machine->time->instructions_of(limit));
    };
    qemu_.process_data = [](void*) {};
    qemu_.get = [] { return g_machine->slept_ns + (g_machine->raw << 1); };
    qemu_.get_raw = [] { return g_machine->raw; };
    qemu_.handle_deadline = [] { g_machine->run_timers(); };
    qemu_.deadline = [](int, int) { return g_machine->deadline(); };
    qemu_.is_idle = [](void* cpu) { return static_cast<Machine::Cpu*>(cpu)->halted; };
    qemu_.get_cpu = [](int index) -> void* {
      const auto place = static_cast<std::size_t>(index);
      return place < g_machine->cpus.size() ? &g_machine->cpus[place] : nullptr;
    };
    const auto fail = [](const char* why) { ADD_FAILURE() << why; };
    time_.emplace(qemu_, hooks_, fail, kRound, speed_ns, speed_instructions);
    machine_.time = &*time_;
  }
  Machine::Cpu& cpu(std::size_t index) { return machine_.cpus[index]; }
  void halt_at(std::size_t index, std::int64_t at, std::int64_t& when) {
    cpu(index).steps.push_back({at, [this, index, &when] {
                                  when = time_->now();
                                  cpu(index).halted = true;
                                }});
  }

  Machine machine_;
  QemuTime qemu_;
  TurnHooks hooks_;
  std::optional<ParallelTime> time_;
};

TEST_F(ParallelTimeTest, TwoCpusTakeAsLongAsOne) {
  start(2);
  std::int64_t first = 0, second = 0;
  halt_at(0, 1'000'000, first);
  halt_at(1, 1'000'000, second);
  machine_.run([] { return false; });
  EXPECT_EQ(first, 2'000'000);
  EXPECT_EQ(second, 2'000'000);
}

TEST_F(ParallelTimeTest, CpusThatAreAwakeDifferByARoundAtMost) {
  start(3);
  std::int64_t most = 0;
  const auto compare = [&] {
    const auto [least, greatest] = std::minmax_element(
        machine_.cpus.begin(), machine_.cpus.end(),
        [](const Machine::Cpu& a, const Machine::Cpu& b) { return a.executed < b.executed; });
    most = std::max(most, greatest->executed - least->executed);
  };
  // One of them is interrupted all the time, at odd places.
  for (std::int64_t at = 1; at < 300'000; at += 733) cpu(1).steps.push_back({at, compare});
  machine_.run([&] { return cpu(1).executed > 300'000; });
  EXPECT_GT(most, 0);
  EXPECT_LE(most, kRound);
}

TEST_F(ParallelTimeTest, ATurnThatIsCutShortGetsTheRestOfItsRound) {
  start(2);
  for (std::int64_t at = 10; at < 2000; at += 10) cpu(0).steps.push_back({at, [] {}});
  std::int64_t first = 0, second = 0;
  halt_at(0, 2000, first);
  halt_at(1, 2000, second);
  machine_.run([] { return false; });
  EXPECT_EQ(first, 4000);
  EXPECT_EQ(second, 4000);
}

TEST_F(ParallelTimeTest, ACpuThatIsWokenBeginsWhenItWasWoken) {
  start(2);
  cpu(1).halted = true;
  cpu(0).steps.push_back({12'345, [this] { cpu(1).halted = false; }});
  std::int64_t end = 0;
  halt_at(1, 1000, end);
  machine_.run([&] { return end != 0; });
  ASSERT_FALSE(cpu(1).turns_begun_ns.empty());
  EXPECT_EQ(cpu(1).turns_begun_ns.front(), 24'690);
  EXPECT_EQ(end, 24'690 + 2000);
}

// It slept for a part of the round only: it must not begin before it fell asleep, nor at the round's end.
TEST_F(ParallelTimeTest, ACpuThatIsWokenInTheRoundInWhichItSleptRunsInThatRound) {
  start(2);
  std::int64_t slept = 0, end = 0;
  halt_at(0, 100, slept);
  cpu(1).steps.push_back({600, [this] { cpu(0).halted = false; }});
  halt_at(0, 300, end);
  machine_.run([&] { return end != 0; });
  EXPECT_EQ(slept, 200);
  EXPECT_EQ(end, 1200 + 400);
}

TEST_F(ParallelTimeTest, APassWithoutATurnLosesNoSleep) {
  start(1);
  std::int64_t halted = 0;
  halt_at(0, 1000, halted);
  machine_.run([this] { return cpu(0).halted; });
  time_->begin_pass();  // an errand of QEMU's ends it here
  machine_.slept_ns += 1'000'000;
  cpu(0).halted = false;
  cpu(0).turns_begun_ns.clear();
  machine_.run([this] { return !cpu(0).turns_begun_ns.empty(); });
  EXPECT_EQ(cpu(0).turns_begun_ns.front(), halted + 1'000'000);
}

TEST_F(ParallelTimeTest, ATimerActsWithinARoundOfWhenItIsDue) {
  start(2);
  std::int64_t fired = -1, ahead = -1;
  // Set in the middle of a round, for the same round, when the other CPU has had its turn.
  cpu(1).steps.push_back({500, [&] {
                            machine_.timers.push_back({1500, [&] {
                                                         fired = time_->now();
                                                         ahead = 2 * cpu(0).executed - 1500;
                                                       }});
                          }});
  machine_.run([&] { return fired >= 0; });
  EXPECT_EQ(fired, 1500);
  EXPECT_LE(ahead, kRoundNs);
}

TEST_F(ParallelTimeTest, NobodyExecutesPastATimerThatWasSetBefore) {
  start(2);
  std::int64_t most = 0, fired = -1;
  machine_.timers.push_back({10'001, [&] {
                               fired = time_->now();
                               for (const Machine::Cpu& one : machine_.cpus)
                                 most = std::max(most, one.executed);
                             }});
  machine_.run([&] { return fired >= 0; });
  EXPECT_EQ(fired, 10'001);
  EXPECT_LE(most, 5001);  // half an instruction is none
}

TEST_F(ParallelTimeTest, WhenAllSleepTimeJumpsToTheNextTimer) {
  start(2);
  std::int64_t slept = 0, other = 0, fired = 0;
  halt_at(0, 1500, slept);
  halt_at(1, 700, other);
  machine_.timers.push_back({1'000'000, [&] {
                               fired = time_->now();
                               cpu(1).halted = false;
                             }});
  std::int64_t end = 0;
  halt_at(1, 800, end);
  machine_.run([] { return false; });
  EXPECT_EQ(slept, 3000);
  EXPECT_EQ(other, 1400);
  EXPECT_EQ(fired, 1'000'000);
  EXPECT_EQ(end, 1'000'200);
}

TEST_F(ParallelTimeTest, ASpeedThatIsNoWholeNumberLosesNothing) {
  start(2, 10, 3);
  std::int64_t first = 0, second = 0;
  halt_at(0, 3'000'000, first);
  halt_at(1, 3'000'001, second);
  for (std::int64_t at = 7; at < 100'000; at += 7) cpu(1).steps.push_front({100'000 - at, [] {}});
  machine_.run([] { return false; });
  EXPECT_EQ(first, 10'000'000);
  EXPECT_EQ(second, 10'000'003);
}

// The only one awake may go on for longer, since all that it can do to another is to wake it.
TEST_F(ParallelTimeTest, OneAloneHasLongTurns) {
  start(2);
  cpu(1).halted = true;
  std::int64_t end = 0;
  halt_at(0, 1'000'000, end);
  machine_.run([] { return false; });
  EXPECT_EQ(end, 2'000'000);
  EXPECT_LE(cpu(0).turns_begun_ns.size(), 1'000'000U / kLongestTurn + 2);
}

TEST_F(ParallelTimeTest, AtPricesDearCodeExecutesLess) {
  hooks_.has_prices = true;
  hooks_.ended = [](const Turn& turn) {
    return static_cast<std::int64_t>(turn.executed) * (turn.cpu == 0 ? 2 : 8) * kFemtoseconds;
  };
  start(2);
  machine_.run([&] { return cpu(1).executed >= 100'000; });
  EXPECT_NEAR(static_cast<double>(cpu(0).executed) / static_cast<double>(cpu(1).executed), 4, 0.1);
  EXPECT_NEAR(static_cast<double>(time_->now()), 8 * 100'000, 4 * kRoundNs);
}

// Prices that change from turn to turn, as code does: what passes is what it took.
TEST_F(ParallelTimeTest, AtPricesTimeIsWhatTheTurnsTook) {
  static std::int64_t took;
  static int turns;
  took = turns = 0;
  hooks_.has_prices = true;
  hooks_.ended = [](const Turn& turn) {
    const std::int64_t cost =
        static_cast<std::int64_t>(turn.executed) * (++turns % 3 == 0 ? 7 : 1) * kFemtoseconds;
    if (turn.cpu == 0) took += cost;
    return cost;
  };
  start(2);
  machine_.run([&] { return cpu(0).executed >= 1'000'000; });
  EXPECT_NEAR(static_cast<double>(time_->now()), static_cast<double>(took / kFemtoseconds), 10 * kRoundNs);
}

TEST_F(ParallelTimeTest, EachTurnTellsWhatWasExecuted) {
  static std::uint64_t told;
  told = 0;
  hooks_.ended = [](const Turn& turn) {
    told += turn.executed;
    return std::int64_t{0};
  };
  start(2);
  std::int64_t first = 0, second = 0;
  halt_at(0, 12'345, first);
  halt_at(1, 23'456, second);
  machine_.run([] { return false; });
  EXPECT_EQ(told, 12'345U + 23'456U);
}

}  // namespace
}  // namespace vtax::probe
