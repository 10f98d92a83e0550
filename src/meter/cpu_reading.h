#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax::meter {

// What the kernel's own books say at one moment. A tick is 1/100 s (USER_HZ).
inline constexpr std::uint64_t kTickNs = 10'000'000;

// One thread of the sandbox. `run_ns` is exact (/proc/PID/task/TID/schedstat), with the interrupts that came
// while it ran; which part of it was in the kernel is known by samples alone: the tick that fell into it.
struct ThreadTime {
  int process = 0;
  std::string name;
  std::uint64_t run_ns = 0;
  std::uint64_t user_ticks = 0, system_ticks = 0;
  std::uint64_t guest_ticks = 0;  // of user_ticks: KVM's guest ran on this thread
  int cpu = 0;                    // on which it ran last
};

// A line cpuN of /proc/stat, in ticks.
struct CpuTicks {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
};

// A thread outside of the trial.
struct OutsideThread {
  std::uint64_t run_ns = 0;
  int cpu = 0;  // on which it ran last
};

// What a living process has of threads and children that have ended.
struct EndedTime {
  std::uint64_t threads_ns = 0;                    // of its own threads
  std::uint64_t user_ticks = 0, system_ticks = 0;  // of its children that it has waited for, and theirs
};

struct CpuReading {
  std::chrono::steady_clock::time_point at;
  std::map<int, ThreadTime> threads;    // by thread
  std::map<int, int> parents;           // of each process
  std::map<int, EndedTime> ended = {};  // of each process
  std::map<int, CpuTicks> cpus;
  // What is not the trial's. read_outside_threads() fills it, and who has threads of his own in the sandbox,
  // under numbers below zero.
  std::map<int, OutsideThread> outside = {};
};

// All processes that /proc shows: in the sandbox, those of the trial.
//
// `outer_proc`: a path to the /proc of the namespace around the sandbox, if there is one. Until Linux 6.3 a
// vhost worker is a thread of the kernel, which the sandbox does not show; its name is "vhost-" and the
// number of its QEMU there. It is added as a thread of that QEMU, under a number below zero. So are the
// threads of `outer_processes`, processes of that namespace, as those of a process of that number below zero.
[[nodiscard]] Result<CpuReading> read_cpu_time(const std::filesystem::path& outer_proc = {},
                                               const std::set<int>& outer_processes = {});

// What is the trial's although it is outside of the sandbox.
struct OursOutside {
  std::vector<std::string> kernel_threads;  // what their names begin with
  std::set<int> processes;
};

// All other threads that are no thread of the sandbox, by their number in the namespace around it. ksoftirqd
// is left out: softirq_clock.h says whose its time is.
[[nodiscard]] std::map<int, OutsideThread> read_outside_threads(const std::filesystem::path& outer_proc,
                                                                const OursOutside& ours);

[[nodiscard]] std::map<int, CpuTicks> parse_proc_stat(std::string_view text);
[[nodiscard]] Result<std::map<int, CpuTicks>> read_cpu_ticks();

// From /proc/PID/stat, whose second field may hold anything, brackets and spaces among it.
struct ProcessStat {
  std::string name = {};
  int parent = 0;
  std::uint64_t user_ticks = 0, system_ticks = 0;
  std::uint64_t guest_ticks = 0;
  int cpu = 0;                                                       // on which it ran last
  std::uint64_t children_user_ticks = 0, children_system_ticks = 0;  // that it has waited for
};
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

// The last number of "NSpid:" in /proc/PID/status: the process's own in its innermost namespace.
[[nodiscard]] std::optional<int> parse_inner_number(std::string_view status);

}  // namespace vtax::meter
