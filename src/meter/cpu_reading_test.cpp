#include "meter/cpu_reading.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace vtax::meter {
namespace {

namespace fs = std::filesystem;

TEST(ProcessStat, NamesMayHoldAnything) {
  const auto stat = parse_process_stat(
      "77 (CPU 0/TCG) R) S 12 77 77 0 -1 4194304 1 2 3 4 55 66 7 8 20 0 3 0 100 1000 20 0");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "CPU 0/TCG) R");
  EXPECT_EQ(stat->parent, 12);
  EXPECT_EQ(stat->user_ticks, 55U);
  EXPECT_EQ(stat->system_ticks, 66U);
}

TEST(ProcessStat, GuestTimeIsTheFortyThirdField) {
  const std::string start = "77 (CPU 0/KVM) S 12 77 77 0 -1 4194304 1 2 3 4 55 66 7 8 20 0 3 0 100 1000 20 ";
  EXPECT_EQ(parse_process_stat(start)->guest_ticks, 0U);  // an older kernel's
  const auto stat = parse_process_stat(start + "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 41 0 0");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->guest_ticks, 41U);
}

TEST(ProcessStat, TheCpuIsTheThirtyNinthField) {
  const auto stat = parse_process_stat(
      "9 (xenwatch) S 2 0 0 0 -1 69238880 0 0 0 0 3 4 0 0 20 0 1 0 50 0 0 1 2 3 4 5 6 7 8 9 10 11 0 0 17 5 0 "
      "0 "
      "0 0 0");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu, 5);
}

TEST(OutsideThreads, ThoseOfThisNamespaceAreInside) {
  EXPECT_FALSE(read_outside_threads("/proc", {}).contains(getpid()));
}

// A /proc of the namespace around: a program of somebody's, a device model with two threads, netback.
class OuterProc : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "vtax-proc-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    proc_ = pattern;
    add(50, 50, "sshd", 1000, 1, 2);
    add(60, 60, "xen-qemu-system", 2000, 7, 3);
    add(60, 61, "worker", 300, 1, 0);
    add(70, 70, "vif3.0-q0-guest", 5000, 0, 9);
  }
  void TearDown() override { fs::remove_all(proc_); }

  void add(int process, int thread, const std::string& name, int run_ns, int user, int system) const {
    const fs::path folder = proc_ / std::to_string(process), task = folder / "task" / std::to_string(thread);
    fs::create_directories(task);
    fs::create_directories(folder / "ns");
    std::ofstream(folder / "ns/pid") << "another";
    std::ofstream(task / "schedstat") << run_ns << " 5 6\n";
    std::ofstream(task / "stat") << thread << " (" << name << ") S 1 0 0 0 -1 0 0 0 0 0 " << user << " "
                                 << system
                                 << " 0 0 20 0 1 0 50 0 0 1 2 3 4 5 6 7 8 9 10 11 0 0 17 1 0 0 0 0 0\n";
  }

  fs::path proc_;
};

TEST_F(OuterProc, WhatIsTheTrialsIsNotOutside) {
  const auto all = read_outside_threads(proc_, {});
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at(61).run_ns, 300U);
  EXPECT_EQ(all.at(61).cpu, 1);
  const auto others = read_outside_threads(proc_, {{"vif3.0-"}, {60}});
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others.at(50).run_ns, 1000U);
}

TEST_F(OuterProc, ADeviceModelsThreadsAreReadBelowZero) {
  const auto reading = read_cpu_time(proc_, {60});
  ASSERT_TRUE(reading) << reading.error().text();
  const ThreadTime& main = reading->threads.at(-60);
  EXPECT_EQ(main.process, -60);
  EXPECT_EQ(main.run_ns, 2000U);
  EXPECT_EQ(main.user_ticks, 7U);
  EXPECT_EQ(main.system_ticks, 3U);
  EXPECT_EQ(reading->threads.at(-61).process, -60);
  EXPECT_FALSE(reading->threads.contains(-50));
  EXPECT_TRUE(reading->threads.contains(getpid()));
}

TEST(InnerNumber, IsTheLastOfItsLine) {
  EXPECT_EQ(parse_inner_number("Name:\tqemu\nNSpid:\t812\t3\nNSpgid:\t812\t9\n"), 3);
  EXPECT_EQ(parse_inner_number("NSpid:\t812\n"), 812);
  EXPECT_FALSE(parse_inner_number("Name:\tNSpid:\nPid:\t5\n"));
  EXPECT_FALSE(parse_inner_number("NSpid:\t812\tx\n"));
  EXPECT_FALSE(parse_inner_number(""));
}

TEST(ProcessStat, WhatIsCutIsNothing) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("77 (vtax) S 12 77 77 0 -1 4194304 1 2 3 4 55"));
  EXPECT_FALSE(parse_process_stat("77 )vtax( S 12"));
}

TEST(ProcStat, EachCpuHasItsTicks) {
  const auto cpus = parse_proc_stat(
      "cpu  3 3 3 3 3 3 3 3 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 10 20 30 40 50 60 70 80 0 0\nintr 5\n");
  ASSERT_EQ(cpus.size(), 2U);
  EXPECT_EQ(cpus.at(1).user, 10U);
  EXPECT_EQ(cpus.at(1).softirq, 70U);
  EXPECT_EQ(cpus.at(0).steal, 8U);
}

// What is taken of damaged text are numbers that stand in it.
TEST(ProcStat, NoiseGivesNoNumberThatTheTextHasNot) {
  std::mt19937 random(4);
  for (int round = 0; round < 2000; ++round) {
    std::string text = "cpu0 1 2 3 4 5 6 7 8 0 0\n77 (a) S 12 77 77 0 -1 4194304 1 2 3 4 55 66 7 8\n";
    for (int change = 0; change < 6; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto is_in_it = [&](std::uint64_t number) {
      return number == 0 || text.find(std::to_string(number)) != std::string::npos;
    };
    for (const auto& [cpu, ticks] : parse_proc_stat(text)) {
      EXPECT_GE(cpu, 0);
      for (const std::uint64_t number : {ticks.user, ticks.nice, ticks.system, ticks.idle, ticks.iowait,
                                         ticks.irq, ticks.softirq, ticks.steal})
        EXPECT_TRUE(is_in_it(number)) << number << " of " << text;
    }
    if (const auto process = parse_process_stat(text)) {
      EXPECT_TRUE(is_in_it(process->user_ticks) && is_in_it(process->system_ticks)) << text;
      EXPECT_NE(text.find("(" + process->name + ")"), std::string::npos) << text;
    }
    if (const auto number = parse_inner_number("NSpid:\t" + text)) {
      EXPECT_NE(text.find(std::to_string(*number)), std::string::npos) << text;
    }
  }
}

TEST(ReadCpuTime, SeesThisProgram) {
  const auto before = read_cpu_time();
  if (!before) GTEST_SKIP() << before.error().text();
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(50)) {
  }
  const auto after = read_cpu_time();
  ASSERT_TRUE(after);
  EXPECT_GT(after->threads.at(getpid()).run_ns, before->threads.at(getpid()).run_ns);
}

}  // namespace
}  // namespace vtax::meter
