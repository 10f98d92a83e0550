#pragma once

#include <chrono>
#include <string_view>

namespace vtax {

// How this machine's kernel divides its own time so far: the timer's tick, 100 to 1000 a second
// (CONFIG_HZ), finds a CPU in a process or in the kernel. Told to 10 ms (USER_HZ).
struct ProgramsTime {
  std::chrono::nanoseconds user{};    // of all processes but this one, those that nobody waited for, too
  std::chrono::nanoseconds kernel{};  // for whomever, with interrupts
};

// In a guest, which holds nothing but programs of the user's and this process: how its time divides between
// them and its kernel. Zeros where /proc/stat cannot be read.
[[nodiscard]] ProgramsTime programs_time();

// `line`: the first of /proc/stat (proc_stat(5)); `own`: this process's user time.
[[nodiscard]] ProgramsTime programs_time_in(std::string_view line, std::chrono::nanoseconds own);

}  // namespace vtax
