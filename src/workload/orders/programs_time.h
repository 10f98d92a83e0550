#pragma once

#include <chrono>
#include <string_view>

namespace vtax {

// How this machine's kernel divides its own time so far: the timer's tick, 100 to 1000 a second
// (CONFIG_HZ), finds a CPU in a process or in the kernel. Told to 10 ms (USER_HZ), but for `own`, which is
// exact: where the computer below is busy, ticks are missed, and `own` may be more than `user`, which has it.
// So what others used in a window is the growth of `user` less that of `own`, never a difference of sums
// since the boot.
struct ProgramsTime {
  std::chrono::nanoseconds user{};    // of all processes, those that nobody waited for, too
  std::chrono::nanoseconds own{};     // of this process
  std::chrono::nanoseconds kernel{};  // for whomever, with interrupts
};

// What programs used between two readings: of processes other than the reader, and of the kernel.
struct ProgramsShare {
  std::chrono::nanoseconds user{}, kernel{};
};
[[nodiscard]] ProgramsShare programs_share(const ProgramsTime& before, const ProgramsTime& after);

// In a guest, which holds nothing but programs of the user's and this process: how its time divides between
// them and its kernel. Zeros where /proc/stat cannot be read.
[[nodiscard]] ProgramsTime programs_time();

// `line`: the first of /proc/stat (proc_stat(5)).
[[nodiscard]] ProgramsTime programs_time_in(std::string_view line, std::chrono::nanoseconds own);

}  // namespace vtax
